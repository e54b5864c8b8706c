"""A board learns which entries have ended, and waits for nobody."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from anpr.errors import UnavailableError
from anpr.events import EntryEnded
from anpr.local.processes import wait_until
from anpr.services.ended_entries import EndedEntries, Question
from tests.strategies import NOON, generation


def a_question(*entry_ids: str, number: int = 1) -> Question:
    return Question(generation(number), frozenset(entry_ids))


@dataclass
class SlowList:
    """A list's home that answers when it is let, and fails as often as it is told to."""

    failures: list[Exception] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)

    def ended(self, entry_ids: Sequence[str]) -> list[EntryEnded]:
        self.asked.append(list(entry_ids))
        self.answering.wait(30)
        if self.failures:
            raise self.failures.pop()
        return [EntryEnded(entry_id=i, revision=generation(2), ended_at=NOON, why="taken off") for i in entry_ids]


@pytest.fixture
def home() -> SlowList:
    return SlowList()


@pytest.fixture
def entries(home: SlowList) -> Iterator[EndedEntries]:
    entries = EndedEntries(home.ended)
    entries.start()
    yield entries
    home.answering.set()
    entries.stop()


def answered(entries: EndedEntries) -> list[str]:
    """Wait for an answer."""
    found: list[str] = []

    def has_come() -> bool:
        found.extend(ended.entry_id for ended in entries.answer())
        return bool(found)

    assert wait_until(has_come, 10)
    return found


def test_while_the_lists_home_is_silent_the_board_goes_on_and_asks_no_second_question(
    home: SlowList, entries: EndedEntries
) -> None:
    entries.ask(a_question("a"))
    assert wait_until(lambda: home.asked == [["a"]], 10)
    entries.ask(a_question("a", "b"))
    assert entries.answer() == []
    home.answering.set()
    assert answered(entries) == ["a"]
    entries.ask(a_question("a", "b"))
    assert answered(entries) == ["a", "b"]
    assert home.asked == [["a"], ["a", "b"]]


def test_what_was_answered_is_asked_again_only_when_the_list_or_the_board_has_changed(
    home: SlowList, entries: EndedEntries
) -> None:
    home.answering.set()
    entries.ask(a_question("a"))
    answered(entries)
    entries.ask(a_question("a"))
    entries.ask(a_question("a", number=2))
    answered(entries)
    assert home.asked == [["a"], ["a"]]


@pytest.mark.parametrize("failure", [UnavailableError("redis-unavailable", "away", "wait"), ValueError("not JSON")])
def test_what_could_not_be_answered_is_asked_again(home: SlowList, entries: EndedEntries, failure: Exception) -> None:
    home.answering.set()
    home.failures = [failure]
    found: list[str] = []

    def has_come() -> bool:
        entries.ask(a_question("a"))
        found.extend(ended.entry_id for ended in entries.answer())
        return bool(found)

    assert wait_until(has_come, 10)
    assert home.asked == [["a"], ["a"]]
