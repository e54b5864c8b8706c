"""The archive of Kafka's classes is used only with the very Java and the very jars that it was written with."""

from pathlib import Path

import pytest

from anpr.local import kafka_jars
from anpr.local.kafka_server import KafkaServer


@pytest.fixture
def jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a jar of a Kafka that was fetched, beside a Java."""
    java = tmp_path / "java" / "bin" / "java"
    modules = tmp_path / "java" / "lib" / "modules"
    jar = tmp_path / "cache" / "anpr" / f"kafka-{kafka_jars.VERSION}" / "kafka.jar"
    for file in (java, modules, jar):
        file.parent.mkdir(parents=True)
        file.write_bytes(b"one")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(kafka_jars, "java", lambda: str(java))
    return jar


def test_other_jars_or_another_java_have_another_archive(jar: Path, tmp_path: Path) -> None:
    first = kafka_jars.class_archive()
    assert kafka_jars.class_archive() == first
    jar.write_bytes(b"changed")
    second = kafka_jars.class_archive()
    (tmp_path / "java" / "lib" / "modules").write_bytes(b"changed")
    assert len({first, second, kafka_jars.class_archive()}) == 3


def test_a_broker_uses_the_archive_once_it_is_there(
    jar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jar.exists()
    commands: list[list[str]] = []
    monkeypatch.setattr("anpr.local.kafka_server._format", lambda java, *_: commands.append(java))
    option = f"-XX:SharedArchiveFile={kafka_jars.class_archive()}"

    def is_used() -> list[bool]:
        command = KafkaServer(tmp_path / "broker")._command()
        return [option in command, option in commands[-1]]

    assert is_used() == [False, False]
    kafka_jars.class_archive().write_bytes(b"classes")
    assert is_used() == [True, True]
