"""The screen changes at once when an incident changes, not only at the next regular tick."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from anpr.board.board_feed import BoardFeed
from anpr.console.board import board_thread
from anpr.contracts import topics
from anpr.contracts.events import Entry, EntryEnded, encode
from anpr.kafka.in_memory import InMemoryBroker, InMemoryTail
from anpr.local.processes import wait_until
from anpr.runtime.settings import Settings, Site
from anpr.watchlist.store.manifest import Manifest
from tests.support.strategies import NOON, a_read, an_alert, an_entry, generation

SETTINGS = Settings({"calais": Site("Calais", "memory", "redis://none")})


class RemovingHome:
    """A home of the watchlist whose entry is removed as soon as `is_removed` is set."""

    is_removed = False

    def read_manifest(self) -> Manifest:
        return Manifest(generation(2 if self.is_removed else 1), NOON, "home", {})

    def changes(self, before: object, after: object) -> None:  # noqa: ARG002  the interface of a store
        return None

    def entries_of(self, list_manifest: object, entry_ids: object) -> dict[str, Entry]:  # noqa: ARG002  as above
        return {}

    def tombstones(self, entry_ids: Sequence[str]) -> list[EntryEnded]:
        ends = EntryEnded(entry_id="e1", revision=generation(2), ended_at=NOON, why="found")
        return [ends] if self.is_removed and "e1" in entry_ids else []


def test_a_removal_from_the_list_is_on_the_screen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_thread, "TICK_SECONDS", 3600)
    broker, home, seen = InMemoryBroker(lambda: NOON), RemovingHome(), list[str]()
    alert = an_alert(a_read(plate="AB12CDE"), an_entry("e1", plate="AB12CDE"))
    broker.topics[topics.alerts("calais")].append((None, encode(alert), {}, NOON))

    def on_tick(feed: BoardFeed, now: datetime) -> None:
        seen.extend(incident.status for incident in feed.board.incidents(now))

    feed = BoardFeed(SETTINGS, lambda _, names: InMemoryTail(broker, names), home, lambda: NOON)
    board = board_thread.BoardThread(feed, on_tick, lambda: NOON)
    board.start()
    try:
        assert wait_until(lambda: seen[-1:] == ["open"], 60)
        home.is_removed = True
        assert wait_until(lambda: seen[-1:] == ["withdrawn"], 60)
    finally:
        board.stop()
