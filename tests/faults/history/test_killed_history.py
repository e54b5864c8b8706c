"""A history that is killed again and again, on a real Kafka, holds exactly the topic: nothing lost, nothing twice."""

import sqlite3
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from anpr.contracts import topics
from anpr.history.sighting import Sighting, Source
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import SIGHTING_TABLES
from anpr.history.sqlite_days import SqliteDays
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from tests.support.entries import read_line
from tests.support.history import everything
from tests.support.installation import Installation

KILLS = 2
READS = 8_000


def publish(it: Installation, site: str, first: int, count: int) -> None:
    producer = KafkaProducer(it.kafka)
    for number in range(first, first + count):
        line = read_line(str(number), site, f"AB{number % 100:02} CDE")
        producer.produce(topics.reads(site), f"camera-{number % 7}", line if number % 50 else b"no read")
    assert wait_until(lambda: producer.flush(1) == 0, 60)


def stored(folder: Path) -> list[Sighting]:
    """Return what a history service has stored. It must not run."""
    store = SightingStore(SqliteDays(folder, SIGHTING_TABLES))
    try:
        return everything(store)
    finally:
        store.close()


def start(it: Installation, name: str, site: str, folder: Path) -> None:
    environment = it.environment | {"ANPR_HISTORY__FOLDER": str(folder)}
    command = it.command("history", "--site", site)
    it.supervisor.add(name, command, log=it.folder / f"{name}.log", env=environment)


def wait_for(folder: Path, site: str, count: int) -> None:
    """Wait until the sightings are committed. A reader of the files disturbs no writer."""

    def is_there() -> bool:
        counts: list[int] = []
        for file in (folder / site / "sightings").glob("*.sqlite"):
            connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
            with closing(connection), suppress(sqlite3.OperationalError):  # it is just being made
                counts.append(connection.execute("SELECT count(*) FROM sightings").fetchone()[0])
        return sum(counts) >= count

    assert wait_until(is_there, 60)


def test_after_any_crash_the_sightings_are_those_of_a_rebuild(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    killed, rebuilt = it.folder / "killed", it.folder / "rebuilt"
    publish(it, site, 0, READS)
    start(it, "history", site, killed)
    for kill in range(1, 1 + KILLS):
        # It is killed as soon as others see a commit, while it works on the next one.
        wait_for(killed, site, kill * READS // (KILLS + 2))
        assert wait_until(lambda: it.supervisor.pid("history") is not None, 60)
        it.supervisor.kill("history")
    expected = READS - READS // 50
    wait_for(killed, site, expected)
    it.supervisor.remove("history")
    start(it, "rebuild", site, rebuilt)
    wait_for(rebuilt, site, expected)
    it.supervisor.remove("rebuild")

    sightings = stored(killed / site / "sightings")
    assert sightings == stored(rebuilt / site / "sightings")
    assert Counter(sighting.read.read_id for sighting in sightings) == Counter(
        str(number) for number in range(READS) if number % 50
    )


def test_a_topic_that_is_created_again_and_one_that_is_cut_lose_nothing_that_is_stored(
    installation: Installation,
) -> None:
    it, site = installation, installation.sites[0]
    folder, topic = it.folder / "history", topics.reads(site)
    admin = AdminClient({"bootstrap.servers": it.kafka})
    start(it, "history", site, folder)
    publish(it, site, 1, 40)
    wait_for(folder, site, 40)
    it.supervisor.remove("history")

    publish(it, site, 101, 40)
    ends = [TopicPartition(topic, partition, -1) for partition in range(it.settings.topics.reads_partitions)]
    for deleted in admin.delete_records(ends).values():
        deleted.result(60)
    publish(it, site, 201, 40)
    start(it, "history", site, folder)
    wait_for(folder, site, 80)

    admin.delete_topics([topic])[topic].result(60)
    new = NewTopic(topic, it.settings.topics.reads_partitions, 1)

    def is_created() -> bool:
        try:
            admin.create_topics([new])[new.topic].result(60)
        except Exception:  # noqa: BLE001  the broker is still deleting the old one
            return False
        return True

    assert wait_until(is_created, 60)
    publish(it, site, 301, 40)
    wait_for(folder, site, 120)
    it.supervisor.remove("history")
    sightings = stored(folder / site / "sightings")
    numbers = sorted(int(sighting.read.read_id) for sighting in sightings)
    assert numbers == [n for first in (1, 201, 301) for n in range(first, first + 40)]
    assert len({sighting.source.topic_id for sighting in sightings}) == 2
    log = (it.folder / "history.log").read_text("utf-8")
    assert log.count("the broker deleted records before history had stored them") == len(
        {Source("", sighting.source.partition) for sighting in sightings if 201 <= int(sighting.read.read_id) < 300}
    )
