"""A history in a PostgreSQL holds exactly the topic when the service is killed, and then the server."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from anpr.contracts import topics
from anpr.history.database import HistoryUnavailableError
from anpr.history.sighting import sightings_of
from anpr.history.stores import open_sightings
from anpr.kafka.producer import KafkaProducer
from anpr.local.postgresql_server import PostgresqlServer
from anpr.local.processes import wait_until
from anpr.local.server import ServerUnavailableError
from anpr.runtime.settings_files import load_settings
from tests.support.entries import read_line
from tests.support.history import everything
from tests.support.installation import Installation
from tests.support.servers import missing

READS = 1_000


@pytest.fixture
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL of its own, for it is killed."""
    try:
        with PostgresqlServer() as server:
            yield server
    except ServerUnavailableError as error:
        missing(error)


def publish(it: Installation, site: str, first: int) -> None:
    producer = KafkaProducer(it.kafka)
    for number in range(first, first + READS):
        line = read_line(str(number), site, f"AB{number % 100:02} CDE")
        producer.produce(topics.reads(site), f"camera-{number % 7}", line)
    assert wait_until(lambda: producer.flush(1) == 0, 60)


@contextmanager
def in_the_middle_of_a_commit(
    it: Installation, postgresql: PostgresqlServer, site: str, first: int
) -> Iterator[None]:
    """Publish more reads, and stop the service where it has written sightings and offsets, and not yet their keys."""
    with suppress(psycopg.OperationalError), psycopg.connect(postgresql.url) as holder:
        holder.execute(f'LOCK TABLE "history-{site}-sightings".sighting_keys IN ACCESS EXCLUSIVE MODE')
        publish(it, site, first)
        with psycopg.connect(postgresql.url, autocommit=True) as other:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            assert wait_until(lambda: other.execute(waiting).fetchone() != (0,), 60)
        yield


def test_after_the_service_and_the_server_were_killed_the_sightings_are_those_of_the_topic(
    installation: Installation, postgresql: PostgresqlServer
) -> None:
    it, site = installation, installation.sites[0]
    it.environment["ANPR_HISTORY__URL"] = postgresql.url
    store = open_sightings(load_settings(it.config, it.environment), site)

    def holds(count: int) -> bool:
        try:
            return store.count() >= count
        except HistoryUnavailableError:
            return False

    publish(it, site, 0)
    it.start("history", "history", "--site", site)
    assert wait_until(lambda: holds(READS), 60)
    with in_the_middle_of_a_commit(it, postgresql, site, READS):
        it.supervisor.kill("history")
    assert wait_until(lambda: holds(2 * READS), 60)
    with in_the_middle_of_a_commit(it, postgresql, site, 2 * READS):
        postgresql.kill()
    assert not holds(0)
    restarts = it.supervisor.restarts("history")
    postgresql.start()
    assert wait_until(lambda: holds(3 * READS), 60)
    assert it.supervisor.restarts("history") == restarts, "the service outlives the server"
    it.supervisor.remove("history")

    stored = everything(store)
    store.close()
    [topic_id] = {sighting.source.topic_id for sighting in stored}
    records = it.records([topics.reads(site)])
    assert stored == sorted(sightings_of(site, records, topic_id), key=lambda one: (one.source, one.offset))
    assert len(stored) == 3 * READS
