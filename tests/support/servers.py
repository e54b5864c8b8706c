"""Real servers for tests: those of KAFKA_BOOTSTRAP and REDIS_URL, or a Kafka and a Valkey that are started here."""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from anpr.local.kafka_server import KafkaServer
from anpr.local.postgresql_server import PostgresqlServer
from anpr.local.server import ServerUnavailableError
from anpr.local.valkey_server import ValkeyServer
from anpr.watchlist.store.store import connect
from tests.support.installation import Installation


def missing(error: ServerUnavailableError) -> None:
    """Fail in CI when a server cannot be started. Elsewhere, skip the test with the reason."""
    if os.environ.get("CI"):
        pytest.fail(str(error))
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a real broker. Tests share it, so each uses its own sites."""
    if given := os.environ.get("KAFKA_BOOTSTRAP"):
        yield given
        return
    server = KafkaServer(tmp_path_factory.mktemp("kafka"))
    try:
        server.start()
    except ServerUnavailableError as error:
        missing(error)
    yield server.bootstrap
    server.stop()


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """Return the address of a real PostgreSQL. Tests share it, so each uses its own schemas."""
    if given := os.environ.get("POSTGRESQL_URL"):
        yield given
        return
    try:
        with PostgresqlServer() as server:
            yield server.url
    except ServerUnavailableError as error:
        missing(error)


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """Return the address of a real Redis or Valkey that holds no watchlist."""
    if given := os.environ.get("REDIS_URL"):
        client = redis.Redis.from_url(given)
        for key in (*client.scan_iter("anpr:watchlist:*"), *client.scan_iter("anpr:console:*")):
            client.delete(key)
        client.close()
        yield given
        return
    with ValkeyServer(tmp_path / "valkey") as server:
        yield server.url


Connect = Callable[..., redis.Redis]


@pytest.fixture
def connected() -> Iterator[Connect]:
    """Return the store's `connect`. Its connections are closed when the test ends."""
    with ExitStack() as stack:
        yield lambda *arguments, **named: stack.enter_context(connect(*arguments, **named))


@pytest.fixture
def installation(tmp_path: Path, kafka_bootstrap: str, redis_url: str) -> Iterator[Installation]:
    """Return a whole installation with its own sites: configuration, topics, processes."""
    with Installation(tmp_path, kafka_bootstrap, redis_url, suffix=f"-{uuid.uuid4().hex[:8]}") as made:
        made.create_topics()
        yield made


@dataclass(frozen=True)
class OwnServers:
    """A broker and a Redis that only the tests of one module use, so that they can be killed."""

    kafka: KafkaServer
    redis: ValkeyServer


@pytest.fixture(scope="module")
def own_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServers]:
    """Return servers for the tests of one module."""
    folder = tmp_path_factory.mktemp("servers")
    kafka = KafkaServer(folder / "kafka")
    with ValkeyServer(folder / "redis") as valkey:
        try:
            kafka.start()
        except ServerUnavailableError as error:
            missing(error)
        with kafka:
            yield OwnServers(kafka, valkey)


@pytest.fixture(scope="module")
def ports(own_servers: OwnServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Return an installation with the real names of the ports, which the simulators need, on its own servers."""
    folder = tmp_path_factory.mktemp("ports")
    with Installation(folder, own_servers.kafka.bootstrap, own_servers.redis.url, suffix="") as made:
        made.create_topics()
        yield made
