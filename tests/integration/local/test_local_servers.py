"""The servers for one machine keep their data over a crash, and leave no process behind when they are stopped."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from anpr.local import kafka_jars
from anpr.local.kafka_server import KafkaServer
from anpr.local.mock_broker import MockBroker
from anpr.local.server import Server, ServerUnavailableError, StartError
from anpr.local.valkey_server import ValkeyServer


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    with KafkaServer(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path) as server:
        yield server


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, value)
    assert producer.flush(60) == 0


def first_message(bootstrap: str, topic: str, partitions: int) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test"})
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
        message = consumer.poll(60)
        return message.value() if message else None
    finally:
        consumer.close()


def assert_stop_leaves_no_process(server: Server) -> None:
    pid = server.pid
    assert pid is not None
    assert is_there(pid)
    server.stop()
    assert not is_there(pid)
    assert server.pid is None


def test_a_topic_and_its_message_survive_a_crash_of_the_broker(kafka: KafkaServer) -> None:
    bootstrap = kafka.bootstrap
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])["kept"].result(60)
    produce(bootstrap, "kept", b"before the crash")

    kafka.kill()
    kafka.start()

    assert kafka.bootstrap == bootstrap
    assert first_message(bootstrap, "kept", partitions=1) == b"before the crash"


def test_a_topic_must_be_created_before_use(kafka: KafkaServer) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    admin.list_topics("mistyped", timeout=60)
    assert "mistyped" not in admin.list_topics(timeout=60).topics


def test_a_stopped_kafka_leaves_no_process_and_starts_again(kafka: KafkaServer) -> None:
    assert_stop_leaves_no_process(kafka)
    kafka.start()
    assert kafka.pid


def test_kafka_that_cannot_start_reports_why(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "meta.properties").write_text("version=99\n")
    with pytest.raises(StartError, match="version"):
        KafkaServer(tmp_path).start()


@pytest.fixture
def nothing_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a machine that has fetched nothing, and whose only repository does not answer."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "M2_REPO"):
        monkeypatch.setenv(name, str(tmp_path / name))
    (tmp_path / "XDG_CONFIG_HOME").mkdir()
    (tmp_path / "XDG_CONFIG_HOME" / "jgo.conf").write_text("[repositories]\ncentral = http://127.0.0.1:1/mirror\n")
    return tmp_path


def test_where_kafka_cannot_be_fetched_the_error_names_the_repository(nothing_fetched: Path) -> None:
    with pytest.raises(ServerUnavailableError, match=r"could not be fetched from http://127\.0\.0\.1:1/mirror"):
        kafka_jars.jars()
    assert not list((nothing_fetched / "XDG_CACHE_HOME").rglob("*.jar"))


def test_a_jar_that_is_not_the_expected_one_is_never_run(
    nothing_fetched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(folder: Path) -> None:
        shutil.copytree(genuine, folder, dirs_exist_ok=True)
        (folder / f"kafka-clients-{kafka_jars.VERSION}.jar").write_bytes(b"something else")

    monkeypatch.delenv("XDG_CACHE_HOME")
    genuine = kafka_jars.jars()
    monkeypatch.setenv("XDG_CACHE_HOME", str(nothing_fetched))
    monkeypatch.setattr(kafka_jars, "_fetch", fetch)
    with pytest.raises(ServerUnavailableError, match=r"not the expected ones: kafka-clients-4.3.1.jar\."):
        kafka_jars.jars()


def test_data_in_valkey_survive_a_crash(valkey: ValkeyServer) -> None:
    url = valkey.url
    with redis.Redis.from_url(url) as client:
        client.set("plate", "AB12CDE")

    valkey.kill()
    valkey.start()

    assert valkey.url == url
    with redis.Redis.from_url(url) as client:
        assert client.get("plate") == b"AB12CDE"


def test_a_stopped_valkey_leaves_no_process(valkey: ValkeyServer) -> None:
    assert_stop_leaves_no_process(valkey)


def test_valkey_that_cannot_start_reports_why(valkey: ValkeyServer, tmp_path: Path) -> None:
    second = ValkeyServer(tmp_path / "second")
    second.port = valkey.port
    with pytest.raises(StartError, match="Address already in use"):
        second.start()


def test_the_mock_broker_delivers_messages() -> None:
    broker = MockBroker()
    broker.start()
    produce(broker.bootstrap, "reads", b"a read")
    assert first_message(broker.bootstrap, "reads", partitions=4) == b"a read"
    broker.stop()
