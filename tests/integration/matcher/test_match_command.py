"""One matcher process on real servers: its input, its output, and what it does when something is missing."""

import json
import socket
import threading
from collections import defaultdict
from datetime import timedelta

import httpx
from confluent_kafka import Producer

from anpr.contracts import topics
from anpr.contracts.events import Correction, Status, decode_alert_record, decode_status
from anpr.kafka.producer import KafkaProducer
from anpr.local.free_ports import free_ports
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import UnavailableError
from tests.support.entries import entry, read_line
from tests.support.installation import Installation
from tests.support.plain_http import NO_CERTIFICATES


def publish(it: Installation, site: str, *lines: bytes) -> None:
    producer = KafkaProducer(it.kafka)
    for line in lines:
        producer.produce(topics.reads(site), "camera-1", line)
    assert wait_until(lambda: producer.flush(1) == 0, 60)


def statuses(it: Installation, site: str) -> list[Status]:
    return [decode_status(record.value or b"") for record in it.records([topics.status(site)])]


def test_a_listed_plate_raises_an_alert_and_no_other_does(installation: Installation) -> None:
    site = installation.sites[0]
    installation.store.apply("stolen", [entry("1", "YO10 OIL")], "test", system_clock())
    installation.start_matcher(site, "one")
    publish(
        installation,
        site,
        read_line("a", site, "yo10-oil"),
        read_line("b", site, "Y0I0 O1L"),
        read_line("c", site, "XX99"),
    )
    installation.wait_until_matched(3, site)
    found = {alert.read.read_id: (alert.tier, alert.kind, alert.entry.entry_id) for alert in installation.alerts()}
    assert found == {"a": ("exact", "live", "1"), "b": ("equivalent", "live", "1")}


def test_a_matcher_counts_days_by_the_clock_of_its_site(installation: Installation) -> None:
    """On Christmas Island the day is over at 10:00 UTC."""
    site = installation.sites[0]
    file = installation.config / "sites.toml"
    title = f"[sites.{site}]\n"
    file.write_text(file.read_text("utf-8").replace(title, f'{title}time_zone = "Pacific/Kiritimati"\n'), "utf-8")
    noon = system_clock().replace(hour=12, minute=0) - timedelta(days=1)
    installation.store.apply("stolen", [entry("1", "AB1", valid_until_day=noon.date())], "test", system_clock())
    installation.start_matcher(site, "one")
    captures = {"still today": noon - timedelta(hours=3), "tomorrow already": noon}
    publish(
        installation,
        site,
        *(read_line(name, site, "AB1", captured_at=at.isoformat()) for name, at in captures.items()),
    )
    installation.wait_until_matched(2, site)
    assert [alert.read.read_id for alert in installation.alerts()] == ["still today"]


def test_a_record_that_cannot_be_matched_becomes_a_dead_letter(installation: Installation) -> None:
    site, other = installation.sites[:2]
    installation.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    installation.start_matcher(site, "one")
    bad = [
        b"x" * 1_000_000,
        b"not json",
        read_line("a", other, "AB1"),
        read_line("b", site, "--"),
        b'{"site": "x", "plate": "AB1"}',
    ]
    publish(installation, site, *bad, read_line("good", site, "AB1"))
    installation.wait_until_matched(6, site)
    assert {record.value for record in installation.records([topics.deadletters(site)])} == set(bad)
    assert [alert.read.read_id for alert in installation.alerts()] == ["good"]


def test_a_record_that_is_too_large_to_copy_does_not_stop_the_reads_behind_it(installation: Installation) -> None:
    """The broker limits the compressed size, and five million spaces are small enough."""
    site = installation.sites[0]
    installation.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    installation.start_matcher(site, "one")
    large = b" " * 5_000_000
    compressing = Producer(
        {"bootstrap.servers": installation.kafka, "compression.type": "gzip", "message.max.bytes": 50_000_000}
    )
    compressing.produce(topics.reads(site), large)
    assert compressing.flush(60) == 0
    publish(installation, site, read_line("good", site, "AB1"))
    installation.wait_until_matched(2, site)
    (dead,) = installation.records([topics.deadletters(site)])
    assert large.startswith(dead.value or b"x")
    assert [alert.read.read_id for alert in installation.alerts()] == ["good"]
    assert installation.supervisor.restarts("one") == 0


def test_a_read_that_replaces_another_brings_a_correction_even_when_it_matches_nothing(
    installation: Installation,
) -> None:
    site = installation.sites[0]
    installation.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    installation.start_matcher(site, "one")
    publish(installation, site, read_line("a", site, "AB1"), read_line("b", site, "AB7", supersedes="a"))
    installation.wait_until_matched(2, site)
    published = [decode_alert_record(record.value or b"") for record in installation.records([topics.alerts(site)])]
    (correction,) = [fact for fact in published if isinstance(fact, Correction)]
    assert (correction.site, correction.read_id, correction.supersedes) == (site, "b", "a")
    assert correction.captured_at is not None
    assert len(published) == 2


def test_covert_alerts_are_only_on_their_own_topic(installation: Installation) -> None:
    site = installation.sites[0]
    entries = [
        entry("open", "AB1"),
        entry("covert", "AB1", handling="covert"),
        entry("new", "AB1", handling="secret"),
    ]
    installation.store.apply("stolen", entries, "test", system_clock())
    installation.start_matcher(site, "one")
    publish(installation, site, read_line("a", site, "AB1"))
    installation.wait_until_matched(1, site)
    assert [alert.entry.entry_id for alert in installation.alerts()] == ["open"]
    covert = [decode_alert_record(r.value or b"") for r in installation.records([topics.covert_alerts(site)])]
    assert {alert.entry.entry_id for alert in covert if not isinstance(alert, Correction)} == {"covert", "new"}


def test_without_a_list_nothing_is_polled_and_the_status_has_no_generation(installation: Installation) -> None:
    site = installation.sites[0]
    installation.start_matcher(site, "one")
    publish(installation, site, read_line("a", site, "AB1"))
    assert wait_until(lambda: bool(statuses(installation, site)), 60)
    assert statuses(installation, site)[-1].generation is None
    assert installation.waiting(site) == 1
    installation.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    installation.wait_until_matched(1, site)
    assert [alert.read.read_id for alert in installation.alerts()] == ["a"]


def test_no_read_sees_half_of_a_list(installation: Installation) -> None:
    """Two lists without a common entry replace each other during traffic: each read has the alerts of only one."""
    site = installation.sites[0]
    lists = [[entry(f"{name}{number}", "AB1") for number in range(30)] for name in "AB"]
    installation.store.apply("stolen", lists[0], "test", system_clock())
    installation.start_matcher(site, "one")
    stop = threading.Event()

    def swap() -> None:
        swaps = 0
        while not stop.is_set():
            swaps += 1
            installation.store.apply("stolen", lists[swaps % 2], "test", system_clock())
            stop.wait(0.05)

    swapping = threading.Thread(target=swap)
    swapping.start()
    count = 0

    def is_seen_under_both() -> bool:
        nonlocal count
        publish(installation, site, *(read_line(str(count + more), site, "AB1") for more in range(20)))
        count += 20
        installation.wait_until_matched(count, site)
        return count >= 200 and len({alert.entry.entry_id[0] for alert in installation.alerts([site])}) == 2

    try:
        assert wait_until(is_seen_under_both, 60)
    finally:
        stop.set()
        swapping.join()
    found = defaultdict(set)
    for alert in installation.alerts([site]):
        found[alert.read.read_id, alert.generation].add(alert.entry.entry_id)
    assert len({read_id for read_id, _ in found}) == count
    whole_lists = [{entry.entry_id for entry in entries} for entries in lists]
    assert all(entries in whole_lists for entries in found.values())


def test_asked_to_stop_it_exits_with_0_and_has_published_the_alerts_of_what_it_committed(
    installation: Installation,
) -> None:
    site = installation.sites[0]
    installation.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    installation.start_matcher(site, "one")
    publish(installation, site, *(read_line(str(number), site, "AB1") for number in range(500)))
    assert wait_until(lambda: installation.waiting(site) < 500, 60)
    installation.supervisor.remove("one")
    assert installation.supervisor.exit_codes["one"] == [0]
    committed = 500 - installation.waiting(site)
    assert len({alert.alert_id for alert in installation.alerts()}) >= committed > 0


def test_a_second_matcher_shares_the_site(installation: Installation) -> None:
    site = installation.sites[0]
    installation.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    for name in ("one", "two"):
        installation.start_matcher(site, name)

    def both_have_partitions() -> bool:
        last = {status.matcher: status.partitions for status in statuses(installation, site)}
        return len(last) == 2 and all(last.values()) and sum(last.values()) == 6

    assert wait_until(both_have_partitions, 60)


def test_of_two_matchers_with_one_name_the_older_ends_and_reports_why(installation: Installation) -> None:
    site = installation.sites[0]
    installation.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    installation.start_matcher(site, "one")
    assert wait_until(lambda: any(status.partitions for status in statuses(installation, site)), 60)
    # The second ends the first. The supervisor starts the first again, and that ends the second.
    done = installation.run("match", "--site", site, "--name", "one")
    assert done.returncode == UnavailableError.exit_code
    assert b"kafka-fenced" in done.stderr
    assert installation.supervisor.exit_codes["one"] == [UnavailableError.exit_code]


def test_the_status_counts_the_work(installation: Installation) -> None:
    site = installation.sites[0]
    applied = installation.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    installation.start_matcher(site, "one")
    publish(installation, site, read_line("a", site, "AB1", confidence=700), b"bad")

    def is_published() -> bool:
        last = statuses(installation, site)[-1:]
        return any(
            (s.reads, s.alerts, s.dead_letters, s.dropped_fields, s.lag, s.generation, list(s.cameras))
            == (1, 1, 1, 1, 0, applied.generation, ["camera-1"])
            for s in last
        )

    assert wait_until(is_published, 60), json.dumps([str(status) for status in statuses(installation, site)[-1:]])


def test_it_serves_its_metrics_and_reports_what_is_missing_until_it_is_ready(installation: Installation) -> None:
    site = installation.sites[0]
    installation.start_builder()
    installation.start("one", "match", "--site", site, "--name", "one", "--metrics-port", "0")
    address = installation.health_address("one")
    assert httpx.get(f"{address}/livez", timeout=60, verify=NO_CERTIFICATES).status_code == 200
    unready = httpx.get(f"{address}/readyz", timeout=60, verify=NO_CERTIFICATES)
    assert unready.status_code == 503
    assert "no list" in unready.text
    installation.store.apply("stolen", [entry("1", "AB1"), entry("2", "AB1", handling="covert")], "t", system_clock())
    assert wait_until(
        lambda: httpx.get(f"{address}/readyz", timeout=60, verify=NO_CERTIFICATES).status_code == 200, 60
    )
    publish(installation, site, read_line("a", site, "AB1"), b"bad")
    installation.wait_until_matched(2, site)
    wanted = [
        f'anpr_alerts_total{{site="{site}",tier="exact"}} 1.0',
        f'anpr_dead_letters_total{{reason="not JSON",site="{site}"}} 1.0',
        f'anpr_list_entries{{site="{site}"}} 2.0',
        f'anpr_lag_reads{{site="{site}"}} 0.0',
    ]

    def shows_all() -> bool:
        page = httpx.get(f"{address}/metrics", timeout=60, verify=NO_CERTIFICATES).text.splitlines()
        return all(line in page for line in wanted)

    assert wait_until(shows_all, 60), httpx.get(f"{address}/metrics", timeout=60, verify=NO_CERTIFICATES).text


def test_two_services_cannot_serve_metrics_at_one_port(installation: Installation) -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        done = installation.run("match", "--site", installation.sites[0], "--metrics-port", str(port))
    assert done.returncode == 3
    assert b'"metrics-address"' in done.stderr
