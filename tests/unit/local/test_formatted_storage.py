"""The storage of a machine's first broker is formatted by Kafka's tool; later brokers get a copy."""

from pathlib import Path

import pytest

from anpr.local import kafka_jars
from anpr.local.kafka_server import KafkaServer


def test_the_tool_runs_once_and_each_broker_has_its_storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Path] = []

    def format_as_the_tool_does(_: list[str], properties: Path) -> None:
        runs.append(properties)
        storage = properties.parent / "logs"
        storage.mkdir()
        (storage / "meta.properties").write_text("version=1\n", "utf-8")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache" / "anpr" / f"kafka-{kafka_jars.VERSION}").mkdir(parents=True)
    monkeypatch.setattr(kafka_jars, "java", lambda: "java")
    monkeypatch.setattr("anpr.local.kafka_server._run_storage_tool", format_as_the_tool_does)
    for name in ("first", "second"):
        folder = tmp_path / name
        KafkaServer(folder)._command()
        assert (folder / "logs" / "meta.properties").read_text("utf-8") == "version=1\n"
    assert len(runs) == 1
