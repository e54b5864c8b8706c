"""A board learns what has become of the entries that it shows, and waits for nobody."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from anpr.errors import UnavailableError
from anpr.events import Entry, EntryEnded
from anpr.local.processes import wait_until
from anpr.services.entry_news import EntryNews
from anpr.watchlist.changes import Changes, between
from anpr.watchlist.places import BasePlace, Head, ListPlace
from tests.strategies import NOON, an_entry, generation, minutes

PLACE = ListPlace(generation(1), NOON, 1, BasePlace("base", 1, 1, "", ""), NOON)


@dataclass
class Home:
    """A list's home: its generations, the tombstones; it answers when it is let, and fails as often as it is told."""

    generations: list[dict[str, Entry]] = field(default_factory=lambda: [{}])
    tombstones: dict[str, EntryEnded] = field(default_factory=dict)
    shows: int | None = None
    tells_changes: bool = True
    failures: list[Exception] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)

    def lists(self, *entries: Entry) -> None:
        """Put these in force as the whole list."""
        number = len(self.generations)
        before = self.generations[-1]
        changes = between(before, entries, generation(number))
        put = {entry.entry_id: entry for entry in changes.put}
        self.generations.append({entry.entry_id: put.get(entry.entry_id, entry) for entry in entries})
        for one in changes.removed:
            self.tombstones[one] = EntryEnded(entry_id=one, revision=generation(number), ended_at=NOON, why="found")

    def head(self) -> Head | None:
        self.answering.wait(30)
        if self.failures:
            raise self.failures.pop()
        number = self.shows or len(self.generations) - 1
        return Head(generation(number), NOON, "id", {"stolen": PLACE}) if number else None

    def changes(self, before: Head, after: Head) -> Changes | None:
        if not self.tells_changes:
            return None
        old, new = (self.generations[head.generation.number] for head in (before, after))
        return Changes([e for e in new.values() if old.get(e.entry_id) != e], [one for one in old if one not in new])

    def entries_of(self, place: ListPlace | None, entry_ids: Sequence[str]) -> dict[str, Entry]:
        assert place == PLACE
        return {one: self.generations[-1][one] for one in entry_ids if one in self.generations[-1]}

    def ended(self, entry_ids: Sequence[str]) -> list[EntryEnded]:
        self.asked.append(list(entry_ids))
        return [self.tombstones[one] for one in entry_ids if one in self.tombstones]


@pytest.fixture
def home() -> Home:
    home = Home()
    home.answering.set()
    return home


@pytest.fixture
def news(home: Home) -> Iterator[EntryNews]:
    news = EntryNews(home, poll_seconds=0.01)
    yield news
    news.stop()


def shows(news: EntryNews, *entry_ids: str) -> None:
    news.follow({"stolen": entry_ids})


def said(news: EntryNews) -> list[tuple[str, int, datetime | None]]:
    """Return what has come: the entry, by which generation, and until when it is valid (None: it has ended)."""
    return [
        (one.entry_id, one.revision.number, one.valid_until if isinstance(one, Entry) else None)
        for one in news.take()
    ]


def test_what_comes_onto_the_board_is_asked_for_once(home: Home, news: EntryNews) -> None:
    home.lists(an_entry("a", valid_until=minutes(5)), an_entry("b"))
    home.lists(an_entry("a", valid_until=minutes(5)))
    shows(news, "a", "b")
    news.look()
    assert said(news) == [("b", 2, None), ("a", 1, minutes(5))]
    news.look()
    shows(news, "a", "b")
    news.look()
    assert said(news) == []
    assert home.asked == [["a", "b"]]


@pytest.mark.parametrize("tells_changes", [True, False], ids=["a small change", "a whole new list"])
def test_each_change_of_what_is_shown_is_told_and_of_nothing_else(
    home: Home, news: EntryNews, *, tells_changes: bool
) -> None:
    home.tells_changes = tells_changes
    home.lists(an_entry("a", valid_until=minutes(5)), an_entry("b"), an_entry("c"))
    shows(news, "a", "b")
    news.look()
    news.take()
    home.lists(an_entry("a", valid_until=minutes(50)), an_entry("c", valid_until=minutes(50)))
    news.look()
    assert sorted(said(news), key=str) == [("a", 2, minutes(50)), ("b", 2, None)]


def test_an_end_is_told_also_when_the_entry_was_listed_again_before_anybody_looked(
    home: Home, news: EntryNews
) -> None:
    home.lists(an_entry("a"))
    shows(news, "a")
    news.look()
    news.take()
    home.lists()
    home.lists(an_entry("a", valid_until=minutes(50)))
    news.look()
    assert said(news) == [("a", 3, minutes(50)), ("a", 2, None)]


def test_a_replica_that_is_behind_is_not_believed(home: Home, news: EntryNews) -> None:
    home.lists(an_entry("a"))
    home.lists()
    shows(news, "a")
    news.look()
    news.take()
    home.shows = 1
    news.look()
    assert said(news) == []
    assert len(home.asked) == 1


def test_an_empty_home_says_nothing(home: Home, news: EntryNews) -> None:
    shows(news, "a")
    news.look()
    assert (said(news), home.asked) == ([], [])


def test_while_the_home_is_silent_the_board_goes_on(home: Home, news: EntryNews) -> None:
    home.lists(an_entry("a"))
    home.answering.clear()
    news.start()
    shows(news, "a")
    assert said(news) == []
    home.answering.set()
    assert wait_until(lambda: bool(said(news)), 10)


@pytest.mark.parametrize("failure", [UnavailableError("redis-unavailable", "away", "wait"), ValueError("not JSON")])
def test_what_could_not_be_answered_is_asked_again(home: Home, news: EntryNews, failure: Exception) -> None:
    home.lists(an_entry("a"))
    home.failures = [failure]
    shows(news, "a")
    news.start()
    assert wait_until(lambda: bool(said(news)), 10)
