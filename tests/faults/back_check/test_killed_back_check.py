"""Lists change while vehicles pass, and services are killed: in the end each alert is there, and no other."""

import json
import random
from pathlib import Path

from anpr.contracts import topics
from anpr.contracts.events import Alert, Entry
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import entry, read_line
from tests.support.installation import Installation
from tests.support.oracle import dry_run

READS = 3_000
LIST = "stolen"
# The first is listed all the time. The pattern makes history be gone through.
PLATES = [f"AB{number:02} CDE" for number in range(40)]
LISTED = [
    *(entry(f"plate-{number}", plate) for number, plate in enumerate(PLATES[:6])),
    entry("pattern", "AB1?CDE"),
]


def lines(first: int, count: int, site: str) -> list[bytes]:
    numbers = range(first, first + count)
    return [read_line(str(number), site, random.Random(number).choice(PLATES)) for number in numbers]


def publish(it: Installation, site: str, sent: list[bytes]) -> None:
    producer = KafkaProducer(it.kafka)
    for number, line in enumerate(sent):
        producer.produce(topics.reads(site), f"camera-{number % 7}", line)
    assert wait_until(lambda: producer.flush(1) == 0, 60)


def expected(it: Installation, sent: list[bytes]) -> set[str]:
    reads, listed = it.folder / "reads.jsonl", it.folder / "list.csv"
    reads.write_bytes(b"\n".join(sent) + b"\n")
    rows = [f"{one.entry_id},{one.plate},2099-01-01" for one in LISTED]
    listed.write_text("\n".join(["entry_id,plate,valid_until", *rows]) + "\n", "utf-8")
    return set(dry_run(it, listed, LIST, reads))


def kill(it: Installation, name: str) -> None:
    assert wait_until(lambda: it.supervisor.pid(name) is not None, 60)
    it.supervisor.kill(name)


def searches(it: Installation, site: str) -> list[object]:
    file = Path(it.folder / "state" / "history" / site / "back-check.json")
    return list(json.loads(file.read_bytes())["searches"]) if file.exists() else [file]


def test_whoever_is_killed_the_alerts_are_those_of_the_dry_run(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    apply(it, LISTED[:1])
    it.start("history", "history", "--site", site)
    it.start("back-check", "back-check", "--site", site)
    it.start_matcher(site, "matcher")
    sent = lines(0, READS, site)
    publish(it, site, sent)
    for step in range(2, len(LISTED) + 1):
        apply(it, LISTED[:step])
        more = lines(READS * step, READS // 10, site)
        sent += more
        publish(it, site, more)
        kill(it, ("back-check", "history", "matcher")[step % 3])
    ids = expected(it, sent)

    def published() -> list[Alert]:
        return it.alerts([site])

    assert wait_until(lambda: {alert.alert_id for alert in published()} >= ids, 120)
    assert {alert.alert_id for alert in published()} == ids
    assert {alert.kind for alert in published()} == {"live", "retrospective"}
    assert wait_until(lambda: searches(it, site) == [], 120), "every search ends"


def apply(it: Installation, listed: list[Entry]) -> None:
    it.store.apply(LIST, listed, "test", system_clock())
