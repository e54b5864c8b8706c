"""The doctor on real servers: all well when nothing is wrong, and each fault by name."""

import json
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # its own examples import it here
from msgspec.structs import replace

from anpr.contracts import topics
from anpr.contracts.dead_letters import GONE, REASON
from anpr.contracts.events import Status, encode
from anpr.kafka.consumer_group import GroupState, group_state, last_records, values
from anpr.kafka.producer import KafkaProducer
from anpr.local.free_ports import free_ports
from anpr.local.kafka_server import KafkaServer
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import entry, read_line
from tests.support.installation import Installation
from tests.support.losses import a_loss


def examined(it: Installation, code: int) -> list[dict[str, Any]]:
    done = it.run("doctor", "--json")
    assert done.returncode == code, done.stdout.decode()
    assert b"Traceback" not in done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def wrong(findings: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    assert all(finding["next_step"] for finding in findings if finding["state"] == "wrong")
    found: dict[tuple[str, str], str] = {}
    for finding in findings:
        if finding["state"] == "wrong":
            where = finding["check"], finding["on"]
            found[where] = "; ".join(filter(None, [found.get(where), finding["says"]]))
    return found


def test_an_installation_that_works_is_well(installation: Installation) -> None:
    it = installation
    it.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    for site in it.sites:
        it.start_matcher(site, f"{site}-1")
    expected = {
        ("kafka", it.kafka),
        *(("matchers", site) for site in it.sites),
        *(("list", site) for site in it.sites),
    }
    found: list[dict[str, Any]] = []

    def is_well() -> bool:
        """The list of a site is checked once its matcher has reported one."""
        found[:] = map(json.loads, it.run("doctor", "--json").stdout.splitlines())
        return expected <= {(finding["check"], finding["on"]) for finding in found} and not wrong(found)

    assert wait_until(is_well, 60), found
    text = it.run("doctor")
    assert text.returncode == 0
    assert b"well   kafka" in text.stdout
    assert b"0 wrong" in text.stderr


def test_each_fault_is_named_with_what_to_do(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    it.run("send", "--site", site, input=read_line("a", site, "AB1"))
    admin = AdminClient({"bootstrap.servers": it.kafka})
    admin.delete_topics([topics.alerts(site)])[topics.alerts(site)].result(60)
    assert wait_until(lambda: topics.alerts(site) not in admin.list_topics(timeout=60).topics, 60)
    it.environment["ANPR_TOPICS__READS_RETENTION_HOURS"] = "24"
    it.environment["ANPR_WATCHLIST__STATE_DIR"] = "/proc/1/no"
    found = wrong(examined(it, 1))
    assert f"1 missing: {topics.alerts(site)}" in found["topics", it.kafka]
    assert found["matchers", site] == "none running; 1 read waits"
    assert "it holds no list" in found.values()
    assert any("cannot write to" in says for says in found.values())


def test_on_a_machine_without_an_index_builder_the_next_step_is_to_start_one(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    it.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    it.start("matcher", "match", "--site", site, "--name", "one")
    steps: list[str] = []

    def is_reported() -> bool:
        found = map(json.loads, it.run("doctor", "--json").stdout.splitlines())
        steps[:] = [one["next_step"] for one in found if "no index builder writes on its machine" in one["says"]]
        return bool(steps)

    assert wait_until(is_reported, 60), it.run("doctor").stdout.decode()
    assert f"`anpr index --site {site}`" in steps[0]


def test_with_every_address_dead_it_says_so_and_ends_within_seconds(installation: Installation) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    installation.environment |= {"KAFKA_BOOTSTRAP": address, "REDIS_URL": f"redis://:secret@{address}/0"}
    began = time.monotonic()
    found = examined(installation, 1)
    assert time.monotonic() - began < 30
    assert "does not answer" in wrong(found)["kafka", address]
    assert any(check == "redis" for check, _ in wrong(found))
    assert "secret" not in json.dumps(found)


def test_the_last_record_of_each_key_is_read(kafka_bootstrap: str) -> None:
    topic = f"status-{time.monotonic_ns()}"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(60)
    assert last_records(kafka_bootstrap, topic, wait_seconds=30) == []
    producer = KafkaProducer(kafka_bootstrap)
    for key, value in (("one", b"1"), ("two", b"2"), ("three", b"3"), ("one", b"4")):
        producer.produce(topic, key, value)
    assert producer.flush(60) == 0
    assert [record.value for record in last_records(kafka_bootstrap, topic, wait_seconds=30)] == [b"2", b"3", b"4"]


def test_records_in_added_partitions_and_with_a_time_that_cannot_be_are_read_too(kafka_bootstrap: str) -> None:
    topic = f"status-{time.monotonic_ns()}"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    stated = {"message.timestamp.type": "CreateTime", "message.timestamp.before.max.ms": str(2**63 - 1)}
    admin.create_topics([NewTopic(topic, 2, 1, config=stated)])[topic].result(60)
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    for value, partition, timestamp in ((b"newer", 1, 2000), (b"older", 0, 1000)):
        producer.produce(topic, value, "one", partition=partition, timestamp=timestamp)
    producer.produce(topic, b"impossible", "two", partition=1, timestamp=-(10**17))
    assert producer.flush(60) == 0
    found = last_records(kafka_bootstrap, topic, wait_seconds=30)
    assert [record.value for record in found] == [b"impossible", b"newer"]
    assert sorted(values(kafka_bootstrap, topic, 30)) == [b"impossible", b"newer", b"older"]


def test_records_that_boards_refuse_do_not_hide_what_the_doctor_finds(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    now = system_clock()
    producer = KafkaProducer(it.kafka)
    gone = {REASON: GONE.encode()}
    for loss in (a_loss(0, 3, 4, site="dover"), replace(a_loss(0, 1, 2, site=site), found_at=now)):
        producer.produce(topics.deadletters(site), None, encode(loss), gone)
    producer.produce(topics.deadletters(site), None, b"{}", gone)
    producer.produce(topics.status(site), "x", encode(Status(site="dover", matcher="x", at=now, started_at=now)))
    assert producer.flush(60) == 0
    found = wrong(examined(it, 1))
    assert "2 reads were deleted before they were checked" in found["reads", site]
    assert "cannot be read: 2" in found["reads", site]
    assert "is not a status of this site" in found["matchers", site]


def test_a_broker_that_has_never_had_a_group_answers_that_no_matcher_runs(tmp_path: Path) -> None:
    with KafkaServer(tmp_path) as new:
        admin = AdminClient({"bootstrap.servers": new.bootstrap})
        admin.create_topics([NewTopic("reads", 2, 1)])["reads"].result(60)
        assert group_state(new.bootstrap, "anpr-match-calais", "reads", wait_seconds=30) == GroupState(
            members=0, lag=0
        )
