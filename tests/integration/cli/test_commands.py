"""The other commands, run as a person or a program runs them."""

import json
import os
import signal
import socket
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka.admin import AdminClient

from anpr.contracts import events, topics
from anpr.contracts.alert_id import alert_id
from anpr.contracts.local_days import UTC_DAYS
from anpr.kafka.producer import KafkaProducer
from anpr.local.free_ports import free_ports
from anpr.local.processes import wait_until
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from anpr.reads.decoder import decode_read
from anpr.runtime.clock import system_clock
from tests.support.entries import entry, read_line, write_list
from tests.support.installation import Installation


def test_topics_says_what_it_would_create_then_creates_it(
    tmp_path: Path, kafka_bootstrap: str, redis_url: str
) -> None:
    with Installation(tmp_path, kafka_bootstrap, redis_url, suffix=f"-{tmp_path.name[-3:]}-topics") as it:
        before = it.run("topics")
        assert before.returncode == 1
        assert before.stdout.count(b"would create") == 30
        assert f"{topics.reads(it.sites[0])}  partitions 6  replication 1  retention 72 h".encode() in before.stdout
        assert it.run("topics", "--create").returncode == 0
        after = it.run("topics")
        assert (after.returncode, after.stdout) == (0, b"")
        there = AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(timeout=60).topics
        assert len(there[topics.actions(it.sites[0])].partitions) == 1


def test_topics_names_the_differences_and_changes_nothing(installation: Installation) -> None:
    installation.environment["ANPR_TOPICS__READS_RETENTION_HOURS"] = "24"
    done = installation.run("topics")
    assert done.returncode == 1
    assert b"retention.ms is 259200000, configured 86400000" in done.stdout


def test_a_server_that_is_away_is_reported_with_a_next_step(installation: Installation) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    installation.environment |= {"KAFKA_BOOTSTRAP": address, "REDIS_URL": f"redis://{address}"}
    for command in (["topics"], ["watchlist", "show"]):
        done = installation.run(*command)
        assert done.returncode == 3
        assert b"does not answer" in done.stderr
        assert b"next:" in done.stderr
        assert b"Traceback" not in done.stderr


def test_a_redis_that_accepts_connections_and_never_answers_is_reported_within_seconds(
    installation: Installation,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        installation.environment["REDIS_URL"] = f"redis://127.0.0.1:{mute.getsockname()[1]}/0"
        for command in (["show"], ["add", "AB1", "--list", "x", "--reason", "y", "--until", "2099-12-31"]):
            done = installation.run(
                "watchlist", *command, timeout=25
            )  # without its own limit it takes more than 30 s
            assert done.returncode == 3
            assert b"does not answer" in done.stderr


def test_a_console_reports_a_wrong_address_or_certificate(installation: Installation, tmp_path: Path) -> None:
    console = "console", "--site", installation.sites[0]
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = installation.run(*console, "--port", str(other.getsockname()[1]))
    assert taken.returncode == 3
    assert b"docs/errors.md#listening-address" in taken.stderr
    (tmp_path / "no.pem").write_text("no certificate", "utf-8")
    unusable = installation.run(*console, "--tls-cert", str(tmp_path / "no.pem"))
    assert unusable.returncode == 2
    assert b"docs/errors.md#certificate-unusable" in unusable.stderr


def test_the_dry_run_finds_what_the_live_system_finds(installation: Installation, tmp_path: Path) -> None:
    site = installation.sites[0]
    file = write_list(tmp_path / "list.csv", "AB12CDE", "YO10OIL")
    lines = [read_line("a", site, "AB12 CDE"), read_line("b", site, "YOIO 0IL"), read_line("c", site, "XX"), b"bad"]
    dry = installation.run(
        "dry-run", "--watchlist", str(file), "--list", "stolen", "--reads", "-", input=b"\n".join(lines)
    )
    assert dry.returncode == 1
    assert b"line 4: not JSON" in dry.stderr
    assert b"3 reads matched, 1 line refused, 2 alerts" in dry.stderr
    found = [msgspec.json.decode(line, type=events.Alert) for line in dry.stdout.splitlines()]
    assert [(alert.read.read_id, alert.tier) for alert in found] == [("a", "exact"), ("b", "equivalent")]

    installation.apply_list(file)
    installation.start_matcher(site, "one")
    assert installation.run("send", "--site", site, input=b"\n".join(lines)).returncode == 1, "of the bad line"
    installation.wait_until_matched(4, site)
    assert {alert.alert_id for alert in installation.alerts()} == {alert.alert_id for alert in found}


def test_watch_prints_the_incidents_of_the_chosen_ports_as_they_come(
    installation: Installation, tmp_path: Path
) -> None:
    site, other, silent = installation.sites
    installation.apply_list(write_list(tmp_path / "l.csv", "AB1"))
    out = tmp_path / "watch.jsonl"
    with out.open("wb") as stream:
        watching = subprocess.Popen(
            installation.command("watch", "--json", "--site", site, "--site", silent),
            stdout=stream,
            env={**os.environ, **installation.environment},
        )

    def lines(kind: str) -> list[dict[str, Any]]:
        return [line for line in map(json.loads, out.read_text("utf-8").splitlines()) if line["type"] == kind]

    for one in (site, other):
        installation.start_matcher(one, f"{one}-1")
        installation.run("send", "--site", one, input=read_line("a", one, "AB1", lane="3"))
    assert wait_until(lambda: bool(lines("incident")), 60)
    assert wait_until(lambda: {"site": site, "silent": False} in silence_of(lines("site")), 60)
    (incident,) = lines("incident")
    assert (incident["site"], incident["plate"], incident["lane"], incident["status"]) == (site, "AB1", "3", "open")
    assert incident["certainty"] == "exact"
    assert {"site": silent, "silent": True} in silence_of(lines("site"))
    # The same incident is printed again only when it has changed.
    installation.run("send", "--site", site, input=read_line("b", site, "AB1"))
    assert wait_until(lambda: [line["alerts"] for line in lines("incident")] == [1, 2], 60)
    # A list without the entry withdraws it on every board.
    installation.apply_list(write_list(tmp_path / "l.csv", "AB2"))
    assert wait_until(lambda: [line["status"] for line in lines("incident")][-1] == "withdrawn", 60)
    # After a rollback the incident is open again.
    assert installation.run("watchlist", "rollback", "--list", "stolen", "--why", "a mistake").returncode == 0
    assert wait_until(lambda: [line["status"] for line in lines("incident")][-1] == "open", 60)
    # A site that falls silent is printed with the reason and the time since its last status.
    installation.supervisor.remove(f"{site}-1")
    assert wait_until(lambda: [line for line in lines("site") if line["site"] == site][-1]["is_silent"], 60)
    last = [line for line in lines("site") if line["site"] == site][-1]
    assert last["why_silent"] == "its broker answers, but its matchers report nothing"
    assert last["heard_seconds_ago"] >= installation.settings.board.silent_after_seconds
    watching.send_signal(signal.SIGINT)
    assert watching.wait(60) == 0


def test_watch_reports_that_the_broker_of_a_site_is_away(installation: Installation) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    installation.environment["KAFKA_BOOTSTRAP"] = address
    log = installation.folder / "watch.log"
    installation.start("watch", "watch", "--json")

    def silent_sites() -> set[str]:
        lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []
        away = f"the broker at {address} does not answer"
        return {line["site"] for line in lines if line.get("why_silent") == away and not line["heard_seconds_ago"]}

    assert wait_until(lambda: silent_sites() == set(installation.sites), 60)


def test_arrivals_says_what_is_due_and_met_off_the_ferry_and_whether_all_ports_answered(
    installation: Installation,
) -> None:
    origin, port, silent = installation.sites
    file = installation.config / "sites.toml"
    ferries = [
        f'{{ origin = "{of}", destination = "{port}", by = "ferry", crossing_minutes = 90 }}'
        for of in (origin, silent)
    ]
    file.write_text(f"routes = [{ferries[0]}]\n{file.read_text('utf-8')}", "utf-8")
    covert = entry("covert", "KR77XYW", handling="covert")
    # At the port where it drives off it raises no alert.
    listed = [entry("open", "AB12CDE", sites=(origin,)), covert]
    installation.store.apply("stolen", listed, "test", system_clock())
    for site in (origin, port):
        installation.start_matcher(site, f"{site}-1")
    installation.start("meet", "meet", "--site", port)
    # An hour ago. The crossing takes one and a half.
    passed_at = system_clock() - timedelta(hours=1)
    for of_list in listed:
        line = read_line(of_list.entry_id, origin, of_list.plate, captured_at=passed_at.isoformat())
        installation.run("send", "--site", origin, input=line)

    def is_told() -> bool:
        done = installation.run("arrivals", "--site", port, "--json")
        return b"AB12CDE" in done.stdout and b"nobody checks arrivals" in done.stderr and done.returncode == 1

    # Without its history it meets nobody, and says so.
    assert wait_until(is_told, 60)
    installation.start("history", "history", "--site", port)

    def due() -> list[dict[str, Any]]:
        done = installation.run("arrivals", "--site", port, "--json")
        # On a busy machine a port may not have answered in time yet.
        assert done.returncode in {0, 1}, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else []

    assert wait_until(lambda: bool(due()), 60)
    (one,) = due()
    assert (one["plate"], one["site"], one["by"], one["arrival"]) == ("AB12CDE", origin, "ferry", "due")
    assert datetime.fromisoformat(one["due_from"]) - passed_at == pytest.approx(
        timedelta(minutes=90), abs=timedelta(seconds=1)
    )
    shown = installation.run("arrivals", "--site", port).stdout.decode()
    assert f"{passed_at + timedelta(minutes=90):%H:%M} UTC from" in shown
    assert "AB12CDE" in shown

    seen_at = system_clock()
    for of_list in listed:
        line = read_line(f"in {of_list.entry_id}", port, of_list.plate, lane="4", captured_at=seen_at.isoformat())
        installation.run("send", "--site", port, input=line)
    assert wait_until(lambda: [one["arrival"] for one in due()] == ["met"], 60)
    (one,) = due()
    assert (one["seen_lane"], one["seen_tier"]) == ("4", "exact")
    assert "lane 4" in installation.run("arrivals", "--site", port).stdout.decode()
    assert not installation.alerts([port]), "alert or not"

    def told(topic: str) -> list[events.Arrival]:
        records = [events.decode_arrival_record(one.value or b"") for one in installation.records([topic])]
        return [one for one in records if isinstance(one, events.Arrival)]

    assert wait_until(lambda: len(told(topics.covert_arrivals(port))) == 1, 60)
    [arrival] = told(topics.arrivals(port))
    assert arrival.read_id == "in open", "and of the covert one, nothing but on its own topic"

    assert installation.run("arrivals", "--site", origin).returncode == 2
    file.write_text(file.read_text("utf-8").replace(ferries[0], ", ".join(ferries)), "utf-8")
    done = installation.run("arrivals", "--site", port)
    assert done.returncode == 1
    assert f"nothing is received from {silent.title()}".encode() in done.stderr
    assert b"AB12CDE" in done.stdout, "the known arrivals are shown all the same"
    file.write_text(file.read_text("utf-8").replace(f"{ferries[0]}, ", ""), "utf-8")
    done = installation.run("arrivals", "--site", port)
    assert f"nothing is received from {silent.title()}".encode() in done.stderr
    assert not done.stdout, "nobody knows whether any vehicle is due"


def silence_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"site": line["site"], "silent": line["is_silent"]} for line in lines]


def an_alert(site: str) -> events.Alert:
    index = Index.build([entry("AB1", "AB1")], events.Generation(epoch=1, number=1))
    read = decode_read(read_line("a", site, "AB1"), site, system_clock())
    (alert,) = raise_alerts([read], index, system_clock(), timedelta(minutes=1), UTC_DAYS)
    assert isinstance(alert, events.Alert)
    return alert


def test_a_record_that_cannot_be_read_is_counted_and_hides_no_other(installation: Installation) -> None:
    site, other = installation.sites[:2]
    installation.apply_list(write_list(installation.folder / "l.csv", "AB1"))
    producer = KafkaProducer(installation.kafka)
    producer.produce(topics.alerts(site), None, b"not an alert")
    producer.produce(topics.actions(site), None, b"{}")
    # A record of another site than the topic's is ignored, whoever wrote it.
    foreign = events.Correction(site=other, read_id="b", supersedes="a")
    producer.produce(topics.alerts(site), None, events.encode(foreign))
    # So is an alert under the id of another alert, which it would replace.
    forged = msgspec.structs.replace(an_alert(site), alert_id=alert_id(an_alert(other).read.identity, "AB1"))
    producer.produce(topics.alerts(site), None, events.encode(forged))
    assert wait_until(lambda: producer.flush(1) == 0, 60)
    feed = installation.open_feed()
    installation.start_matcher(site, "one")
    installation.run("send", "--site", site, input=read_line("a", site, "AB1"))

    def is_shown() -> bool:
        feed.fold_new_records(0.1)
        return len(feed.board.incidents(system_clock())) == 1

    assert wait_until(is_shown, 60)
    assert dict(feed.unreadable_records) == {topics.alerts(site): 3, topics.actions(site): 1}
    feed.stop()
