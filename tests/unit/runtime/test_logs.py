"""Logs: lines that programs read, with values and without a plate."""

import io
import json
import logging
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from anpr import cli
from anpr.contracts import topics
from anpr.contracts.events import Read
from anpr.contracts.local_days import UTC_DAYS, LocalDays
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.in_memory import InMemoryBroker, InMemoryProducer
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.matching.index import Index, Match
from anpr.runtime import logs
from anpr.runtime.errors import UnavailableError
from tests.support.matchers import in_memory_matcher
from tests.support.strategies import NOON, a_read, generation

PLATE = "AB12CDE"


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Restore the logging of the other tests."""
    root = logging.getLogger()
    handlers, level, hook = list(root.handlers), root.level, threading.excepthook
    yield
    root.handlers[:], threading.excepthook = handlers, hook
    root.setLevel(level)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(logs, "_SERVICE", {})
    stream = io.StringIO()
    logs.configure(stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_time_event_values_and_service(stream: io.StringIO) -> None:
    logs.bind_service(service="match", site="calais", name="calais-1")
    logs.get_logger("anpr.x").info("index activated", entries=7)
    (line,) = lines(stream)
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "event": "index activated",
        "service": "match",
        "site": "calais",
        "name": "calais-1",
        "entries": 7,
    }


def test_log_records_of_libraries_are_lines_too(stream: io.StringIO) -> None:
    logging.getLogger("some.library").warning("%d tries", 3)
    assert [(line["event"], line["level"]) for line in lines(stream)] == [("3 tries", "warning")]


def test_the_type_and_location_of_an_exception_are_logged_but_not_its_text(stream: io.StringIO) -> None:
    try:
        int(PLATE)
    except ValueError:
        logs.get_logger("anpr.x").exception("it failed")
        logging.getLogger("some.library").exception("that failed")
    assert PLATE not in stream.getvalue()
    for line in lines(stream):
        assert line["error"] == "ValueError"
        assert line["where"][-1].startswith("runtime/test_logs.py:")


def test_the_error_that_ends_a_thread_is_logged_without_its_text(stream: io.StringIO) -> None:
    def die() -> None:
        raise ValueError(PLATE)

    thread = threading.Thread(target=die, name="one")
    thread.start()
    thread.join()
    (line,) = lines(stream)
    assert (line["event"], line["thread"], line["error"]) == ("thread died", "one", "ValueError")
    assert PLATE not in stream.getvalue()


class FaultyIndex(Index):
    """An index that raises an error with the plate in its text."""

    def match(self, reads: Sequence[Read], days: LocalDays = UTC_DAYS) -> list[list[Match]]:
        raise ValueError(f"cannot match {reads} of {days}")


def fail_within_a_batch(**_: object) -> None:
    broker = InMemoryBroker(lambda: NOON)
    producer = InMemoryProducer(broker)
    producer.produce(topics.reads("calais"), None, msgspec.json.encode(a_read(plate=PLATE)))
    producer.flush(0)
    in_memory_matcher(
        broker,
        "calais",
        lambda: ActiveIndex(FaultyIndex.build([], generation(1)), NOON, NOON),
        lambda: NOON,
        MatcherMetrics("calais", [], NOON),
        producer=producer,
    ).run_once()


def test_a_fault_within_a_batch_ends_the_service_and_no_text_of_the_read_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "_anpr", fail_within_a_batch)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 4
    printed = capsys.readouterr()
    assert "ValueError" in printed.err
    assert "docs/errors.md#internal-fault" in printed.err
    assert "matcher.py" in printed.err
    assert PLATE not in printed.err + printed.out


def test_the_error_that_ends_a_service_is_a_log_line_and_that_of_a_command_is_text(stream: io.StringIO) -> None:
    error = UnavailableError("kafka-refused", "the broker refuses", "start it again")
    logs.report_end(error, stream)
    assert stream.getvalue().startswith("error: the broker refuses\n")
    stream.truncate(0)
    stream.seek(0)
    logs.bind_service(service="match")
    logs.report_end(error, stream)
    (line,) = lines(stream)
    assert (line["event"], line["code"], line["next_step"]) == ("ended", "kafka-refused", "start it again")
