"""What has become of the entries that a board shows: which have ended, and until when the others are valid now.

It asks the list in a thread of its own, so a Redis that is slow holds up no board. It follows the list's own
generation, not the matchers' word of it: the answer comes from the replica that is asked, which may be behind or
ahead of theirs. What is asked at each new generation is what has changed; an entry is asked for once when it comes
onto the board. So every board knows the same of every entry that it shows, whenever it was opened.
"""

import queue
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from anpr.contracts.events import Entry, EntryEnded, EntryListed
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger
from anpr.watchlist.changes import Changes
from anpr.watchlist.store.manifest import ListManifest, Manifest

log = get_logger(__name__)

EntryUpdate = EntryEnded | EntryListed

POLL_SECONDS = 0.1
# An entry among a million is found by reading a few hundred: so many are asked for at once, for memory's sake.
_ASK_ENTRIES = 50


class ListSource(Protocol):
    """What is asked of the store. Every method raises AnprError while there is no answer."""

    def read_manifest(self) -> Manifest | None:
        """Return what is in force."""

    def changes(self, before: Manifest, after: Manifest) -> Changes | None:
        """Return what turns the one into the other, None when that cannot be told."""

    def entries_of(self, list_manifest: ListManifest | None, entry_ids: Sequence[str]) -> dict[str, Entry]:
        """Return by id those of these entries that a list has."""

    def tombstones(self, entry_ids: Sequence[str]) -> list[EntryEnded]:
        """Return the tombstones of these entries."""


class EntryUpdates:
    """Say with `follow` what is shown; `take` what there is to know."""

    def __init__(self, lists: ListSource, poll_seconds: float = POLL_SECONDS) -> None:
        """Ask `lists`, this often."""
        self._lists = lists
        self._poll_seconds = poll_seconds
        self._shown: dict[str, frozenset[str]] = {}
        self._told: frozenset[str] = frozenset()
        self._head: Manifest | None = None
        self._news: queue.SimpleQueue[EntryUpdate] = queue.SimpleQueue()
        self._is_silent = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="entry-news", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more. A question that is under way is not waited for."""
        self._stop.set()

    def follow(self, shown: Mapping[str, Iterable[str]]) -> None:
        """Say which entries of which lists are shown, from now on."""
        self._shown = {name: frozenset(entry_ids) for name, entry_ids in shown.items()}

    def take(self) -> list[EntryUpdate]:
        """Return what has come since the last call: tombstones, and entries as they are listed now. Never waits."""
        news = list[EntryUpdate]()
        while not self._news.empty():
            news.append(self._news.get())
        return news

    def look(self) -> None:
        """Ask what has changed. Raises AnprError; what was not answered is asked again."""
        shown, head, before = self._shown, self._lists.read_manifest(), self._head
        if head is None or (before is not None and head.generation < before.generation):
            return  # empty, or a replica that is behind the one asked before
        everything = frozenset[str]().union(*shown.values())
        unknown, news = everything - self._told, list[EntryUpdate]()
        if before is not None and head.generation != before.generation:
            changes = self._lists.changes(before, head)
            if changes is None:
                unknown = everything
            else:
                put = [entry for entry in changes.put if entry.entry_id in everything]
                # Also of those that were put: one may have ended and been listed anew in between.
                changed = {entry.entry_id for entry in put} | everything.intersection(changes.removed)
                news += [*_listed_at(head, put), *self._lists.tombstones(sorted(changed))]
        if unknown:
            news += self._all_of(unknown, shown, head)
        for one in news:
            self._news.put(one)
        self._head, self._told = head, everything

    def _all_of(
        self, unknown: frozenset[str], shown: Mapping[str, frozenset[str]], head: Manifest
    ) -> list[EntryUpdate]:
        ended, listed = self._lists.tombstones(sorted(unknown)), list[Entry]()
        for name, entry_ids in shown.items():
            listed += self._listed_in(head.lists.get(name), sorted(entry_ids & unknown))
        # What has left its list may have been put on another.
        elsewhere = sorted({one.entry_id for one in ended} - {entry.entry_id for entry in listed})
        for place in head.lists.values():
            listed += self._listed_in(place, elsewhere)
        return [*_listed_at(head, listed), *ended]

    def _listed_in(self, list_manifest: ListManifest | None, entry_ids: Sequence[str]) -> list[Entry]:
        listed: list[Entry] = []
        for start in range(0, len(entry_ids), _ASK_ENTRIES):
            listed += self._lists.entries_of(list_manifest, entry_ids[start : start + _ASK_ENTRIES]).values()
        return listed

    def _run(self) -> None:
        while not self._stop.wait(self._poll_seconds):
            try:
                self.look()
                if self._is_silent:
                    log.info("the list answers again")
                self._is_silent = False
            except AnprError as error:
                if not self._is_silent:
                    log.warning(
                        "the list does not say what has become of entries, asking again",
                        code=error.code,
                        reason=str(error),
                        next_step=error.next_step,
                    )
                self._is_silent = True
            except Exception:
                # Whoever shows the board must not go on for ever with entries that have ended.
                log.exception("asking what has become of entries failed, asking again")


def _listed_at(head: Manifest, entries: Iterable[Entry]) -> list[EntryListed]:
    return [EntryListed(entry=entry, generation=head.generation) for entry in entries]
