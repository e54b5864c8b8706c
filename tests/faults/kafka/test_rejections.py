"""When the broker refuses, services report it, lose nothing, and continue by themselves when it accepts again."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC

import httpx
import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own examples import these from here
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from anpr.board.board_feed import BoardFeed
from anpr.console.local_time import weekday_time_in
from anpr.console.status.status_reader import read_system_status
from anpr.console.status.status_warnings import status_warnings
from anpr.contracts import topics
from anpr.kafka import topic_specs
from anpr.kafka.broker_errors import NEXT_STEPS
from anpr.kafka.consumer import KafkaConsumer
from anpr.kafka.delivery_errors import RejectedError
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import entry, read_line
from tests.support.installation import Installation
from tests.support.plain_http import NO_CERTIFICATES
from tests.support.servers import OwnServers

# A read that is as long as possible and still matches.
LARGE = {"image": "x" * 512, "candidates": [{"plate": f"{number:060}", "confidence": 0.01} for number in range(16)]}
EVERYBODY = "User:ANONYMOUS"


class Broker:
    """The broker's administrator."""

    def __init__(self, address: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": address})

    @contextmanager
    def denies(self, kind: ResourceType, name: str, operation: AclOperation) -> Iterator[None]:
        """Deny one operation on a topic or a group to everybody, and allow all others."""
        rules = [
            AclBinding(kind, name, ResourcePatternType.LITERAL, EVERYBODY, "*", what, how)
            for what, how in ((operation, AclPermissionType.DENY), (AclOperation.ALL, AclPermissionType.ALLOW))
        ]
        for created in self._admin.create_acls(rules).values():
            created.result(60)
        try:
            yield
        finally:
            any_rule = AclBindingFilter(
                kind, name, ResourcePatternType.LITERAL, EVERYBODY, "*", AclOperation.ANY, AclPermissionType.ANY
            )
            for deleted in self._admin.delete_acls([any_rule]).values():
                deleted.result(60)

    @contextmanager
    def takes_at_most(self, topic: str, max_bytes: int) -> Iterator[None]:
        """Refuse larger records of a topic."""
        self._limit(topic, max_bytes)
        try:
            yield
        finally:
            self._limit(topic, topic_specs.BROKER_DEFAULT_BYTES)

    def _limit(self, topic: str, max_bytes: int) -> None:
        entry = ConfigEntry("max.message.bytes", str(max_bytes), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        self._admin.incremental_alter_configs([resource])[resource].result(60)


class Watched:
    """A site with a matcher, as the engineer on call sees it."""

    def __init__(self, it: Installation, site: str) -> None:
        self.it = it
        self.site = site
        it.store.apply("stolen", [entry("1", "AB12CDE")], "test", system_clock())
        it.start_builder()
        it.start("matcher", "match", "--site", site, "--name", "one", "--metrics-port", "0")
        self.matcher = it.health_address("matcher")
        assert wait_until(lambda: ready(self.matcher) == (200, "ready\n"), 60), ready(self.matcher)

    def send(self, *read_ids: str, **fields: object) -> subprocess.CompletedProcess[bytes]:
        lines = [read_line(read_id, self.site, "AB12CDE", **fields) for read_id in read_ids]
        return self.it.run("send", "--site", self.site, input=b"\n".join(lines))

    def alerts(self) -> set[str]:
        return {alert.read.read_id for alert in self.it.alerts([self.site])}

    def matcher_reports(self, code: str) -> None:
        """Assert that the matcher reports the rejection to its supervisor and in its log, and stays alive."""
        says = f"docs/errors.md#{code}"
        assert wait_until(lambda: ready(self.matcher)[0] == 503 and says in ready(self.matcher)[1], 60), ready(
            self.matcher
        )
        assert self.it.supervisor.restarts("matcher") == 0
        assert httpx.get(f"{self.matcher}/livez", timeout=60, verify=NO_CERTIFICATES).text == "live\n"
        logged = [json.loads(line) for line in (self.it.folder / "matcher.log").read_bytes().splitlines()]
        assert any(line.get("code") == code and line["next_step"] for line in logged)

    def doctor_reports(self, code: str) -> str:
        done = self.it.run("doctor", "--json")
        assert done.returncode == 1
        found = [json.loads(line) for line in done.stdout.splitlines()]
        return "; ".join(line["says"] for line in found if line["code"] == code and line["next_step"])

    def is_ready_again(self) -> None:
        assert wait_until(lambda: ready(self.matcher) == (200, "ready\n"), 60), ready(self.matcher)


def ready(address: str) -> tuple[int, str]:
    answer = httpx.get(f"{address}/readyz", timeout=60, verify=NO_CERTIFICATES)
    return answer.status_code, answer.text


@pytest.fixture(scope="module")
def watched(ports: Installation) -> Watched:
    return Watched(ports, ports.sites[0])


@pytest.fixture(scope="module")
def broker(own_servers: OwnServers) -> Broker:
    return Broker(own_servers.kafka.bootstrap)


@pytest.mark.parametrize("topic", [topics.alerts, topics.reads, topics.status])
def test_a_matcher_without_a_permission_reports_it_and_matches_the_waiting_reads_afterwards(
    watched: Watched, broker: Broker, topic: Callable[[str], str]
) -> None:
    name = topic(watched.site)
    operation = AclOperation.READ if topic is topics.reads else AclOperation.WRITE
    with broker.denies(ResourceType.TOPIC, name, operation):
        if topic is topics.reads:  # the broker still answers a fetch that it allowed before
            watched.matcher_reports("kafka-not-authorised")
        assert watched.send(f"no permission for {name}").returncode == 0
        watched.matcher_reports("kafka-not-authorised")
        assert name in ready(watched.matcher)[1]
        assert f"may not {operation.name.lower()} {name}" in watched.doctor_reports("kafka-not-authorised")
        if topic is not topics.status:
            assert f"no permission for {name}" not in watched.alerts()
    assert wait_until(lambda: f"no permission for {name}" in watched.alerts(), 60)
    watched.is_ready_again()


def test_a_matcher_whose_group_is_refused_reports_it_and_continues_afterwards(
    watched: Watched, broker: Broker
) -> None:
    group = f"anpr-match-{watched.site}"
    with broker.denies(ResourceType.GROUP, group, AclOperation.READ):
        watched.matcher_reports("kafka-not-authorised")
        assert watched.send("no group").returncode == 0
        assert group in watched.doctor_reports("kafka-not-authorised")
        assert "no group" not in watched.alerts()
    assert wait_until(lambda: "no group" in watched.alerts(), 60)
    watched.is_ready_again()


def test_a_matcher_that_its_group_does_not_accept_reports_it_and_continues_when_it_does(watched: Watched) -> None:
    it, site = watched.it, watched.it.sites[1]
    stranger = Consumer({"bootstrap.servers": it.kafka, "group.id": f"anpr-match-{site}"})  # shares reads another way
    stranger.subscribe([topics.reads(site)])
    assert wait_until(lambda: bool(stranger.poll(0.1) or stranger.assignment()), 60)
    it.start("late comer", "match", "--site", site, "--name", "late comer", "--metrics-port", "0")
    address = it.health_address("late comer")
    assert wait_until(lambda: bool(stranger.poll(0.1)) or "docs/errors.md#kafka-refused" in ready(address)[1], 60)
    assert it.supervisor.restarts("late comer") == 0
    stranger.close()
    assert wait_until(lambda: ready(address) == (200, "ready\n"), 60), ready(address)


def test_a_consumer_with_a_setting_that_the_client_refuses_raises_its_reason() -> None:
    with pytest.raises(RejectedError, match=r"session\.timeout\.ms") as refused:
        KafkaConsumer("127.0.0.1:1", "reads", "group", "member", memory_topic="m", session_timeout_seconds=3600)
    assert refused.value.code in NEXT_STEPS


def test_an_alert_that_is_too_large_delays_no_other_and_is_raised_when_its_read_is_replayed(
    watched: Watched, broker: Broker
) -> None:
    it, site = watched.it, watched.site
    board = it.open_feed()
    with broker.takes_at_most(topics.alerts(site), 1800):
        watched.send("small before")
        watched.send("large", **LARGE)
        watched.send("small after")
        assert wait_until(lambda: {"small before", "small after"} <= watched.alerts(), 60)
        assert "large" not in watched.alerts()
        assert wait_until(lambda: any("NOT shown" in fault for fault in shown(board, it)), 60), shown(board, it)
        (letter,) = map(json.loads, it.run("topics", "deadletters", "--site", site).stdout.splitlines())
        assert letter["reason"] == "alert too large"
        differs = [line for line in it.run("topics").stdout.decode().splitlines() if "differs" in line]
        assert any("max.message.bytes is 1800" in line for line in differs)
    assert it.run("topics", "deadletters", "--site", site, "--replay").returncode == 0
    assert wait_until(lambda: "large" in watched.alerts(), 60)
    board.stop()


def shown(board: BoardFeed, it: Installation) -> tuple[str, ...]:
    board.fold_new_records(0.1)
    system = read_system_status(board, it.settings, system_clock())
    return status_warnings(system, it.settings, it.sites[0], weekday_time_in(UTC))


def test_a_gateway_that_is_refused_reports_it_keeps_the_lines_and_sends_them_afterwards(
    watched: Watched, broker: Broker
) -> None:
    it, site = watched.it, watched.site
    with broker.denies(ResourceType.TOPIC, topics.reads(site), AclOperation.WRITE):
        ended = watched.send("ended stream")
        assert ended.returncode == 3
        (last_line,) = [line for line in map(json.loads, ended.stderr.splitlines()) if line["event"] == "ended"]
        assert last_line["code"] == "kafka-not-authorised"
        assert "next start: 1" in last_line["error"]
        with open_gateway(it, site, ends_with=3) as (gateway, address):
            put(gateway, read_line("open stream", site, "AB12CDE"))
            says = "docs/errors.md#kafka-not-authorised"
            assert wait_until(lambda: ready(address)[0] == 503 and says in ready(address)[1], 60), ready(address)
            put(gateway, read_line("behind it", site, "AB12CDE"))
    with open_gateway(it, site) as (gateway, address):
        assert wait_until(lambda: {"ended stream", "open stream", "behind it"} <= watched.alerts(), 60)
        with broker.denies(ResourceType.TOPIC, topics.reads(site), AclOperation.WRITE):
            put(gateway, read_line("while it runs", site, "AB12CDE"))
            assert wait_until(lambda: ready(address)[0] == 503, 60)
        assert wait_until(lambda: "while it runs" in watched.alerts(), 60), "without a restart"


def test_a_line_that_is_too_large_for_the_topic_delays_no_other_and_stays_on_disk(
    watched: Watched, broker: Broker
) -> None:
    it, site = watched.it, watched.site
    with open_gateway(it, site) as (gateway, address):
        with broker.takes_at_most(topics.reads(site), 1500):
            put(gateway, read_line("long line", site, "AB12CDE", **LARGE))
            put(gateway, read_line("short line", site, "AB12CDE"))
            assert wait_until(lambda: "short line" in watched.alerts(), 60)
            says = "docs/errors.md#kafka-record-too-large"
            assert wait_until(lambda: says in ready(address)[1], 60), ready(address)
            assert "long line" not in watched.alerts()
        assert wait_until(lambda: "long line" in watched.alerts(), 60), "without a restart"


@contextmanager
def open_gateway(it: Installation, site: str, *, ends_with: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a gateway whose stream stays open, and return it with its health address. Ask it to stop at the end."""
    log = it.folder / f"send-{time.monotonic_ns()}.log"
    with log.open("wb") as out:
        gateway = subprocess.Popen(
            it.command("send", "--site", site, "--metrics-port", "0"),
            stdin=subprocess.PIPE, stderr=out, env={**os.environ, **it.environment},
        )  # fmt: skip
    try:
        yield gateway, it.health_address(log.stem)
        gateway.terminate()
        assert gateway.wait(60) == ends_with, log.read_text("utf-8")
    finally:
        gateway.kill()
        gateway.communicate()


def put(gateway: subprocess.Popen[bytes], line: bytes) -> None:
    assert gateway.stdin is not None
    gateway.stdin.write(line + b"\n")
    gateway.stdin.flush()
