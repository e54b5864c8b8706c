"""Asks the list about the entries that a board shows: which have ended, and how the others are listed now.

It asks in a thread of its own, so a slow Redis delays no board. It follows the generation that the list itself
reports, not the one that matchers report: the answers come from the replica that is asked, which may be behind or
ahead of theirs. At each new generation it asks for the changes; when an entry comes onto the board it asks for that
entry once. So all boards have the same state of an entry, whenever they were opened.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from anpr.contracts.events import Entry, EntryEnded, EntryListed
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger
from anpr.watchlist.changes import Changes
from anpr.watchlist.store.manifest import CameraCalibration, ListManifest, Manifest

log = get_logger(__name__)

EntryUpdate = EntryEnded | EntryListed

POLL_SECONDS = 0.1
# To find an entry among a million, a few hundred others are read, so memory limits the entries of one request.
_ENTRIES_PER_REQUEST = 50


class ListSource(Protocol):
    """The questions to the watchlist's store. Every method raises AnprError while the store does not answer."""

    def read_manifest(self) -> Manifest | None:
        """Return the manifest of the active generation."""

    def changes(self, before: Manifest, after: Manifest) -> Changes | None:
        """Return the changes between two generations, None when they cannot be determined."""

    def entries_of(self, list_manifest: ListManifest | None, entry_ids: Sequence[str]) -> dict[str, Entry]:
        """Return, by id, the entries that a list has."""

    def tombstones(self, entry_ids: Sequence[str]) -> list[EntryEnded]:
        """Return the tombstones of these entries."""


class EntryUpdates:
    """Name the shown entries with `follow_entries`; fetch their updates with `new_updates`."""

    def __init__(
        self,
        lists: ListSource,
        on_updates: Callable[[], None] = lambda: None,
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Ask `lists` every `poll_seconds`. `on_updates` is called in another thread when there are some to fetch."""
        self._lists = lists
        self._on_updates = on_updates
        self._poll_seconds = poll_seconds
        self._followed: dict[str, frozenset[str]] = {}
        # The entries whose state at `_manifest` has been put into the queue.
        self._up_to_date: frozenset[str] = frozenset()
        self._manifest: Manifest | None = None
        self._updates: queue.SimpleQueue[EntryUpdate] = queue.SimpleQueue()
        self._is_silent = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="entry-updates", daemon=True)

    def start(self) -> None:
        """Start to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Stop asking. Does not wait for a request that is under way."""
        self._stop.set()

    def follow_entries(self, entries_of_list: Mapping[str, Iterable[str]]) -> None:
        """Follow these entries from now on, given by the list that has them, and no others."""
        self._followed = {name: frozenset(entry_ids) for name, entry_ids in entries_of_list.items()}

    def calibrations(self) -> tuple[CameraCalibration, ...]:
        """Return the calibrated cameras of all sites, as the list had them when it was last asked."""
        return self._manifest.calibrations if self._manifest is not None else ()

    def new_updates(self) -> list[EntryUpdate]:
        """Return the updates since the last call: tombstones, and entries as they are listed now. Never waits."""
        updates = list[EntryUpdate]()
        while not self._updates.empty():
            updates.append(self._updates.get())
        return updates

    def poll_list(self) -> None:
        """Ask the list once for its changes. Raises AnprError; the next call then asks for the same again."""
        followed, manifest, before = self._followed, self._lists.read_manifest(), self._manifest
        if manifest is None or (before is not None and manifest.generation < before.generation):
            return  # empty, or a replica that is behind the one asked before
        everything = frozenset[str]().union(*followed.values())
        unknown, updates = everything - self._up_to_date, list[EntryUpdate]()
        if before is not None and manifest.generation != before.generation:
            changes = self._lists.changes(before, manifest)
            if changes is None:
                unknown = everything
            else:
                put = [entry for entry in changes.put if entry.entry_id in everything]
                # An entry that was put may have ended and been listed again in between, so it may have a tombstone
                # too.
                changed = {entry.entry_id for entry in put} | everything.intersection(changes.removed)
                updates += [*_listed_at(manifest, put), *self._lists.tombstones(sorted(changed))]
        if unknown:
            updates += self._current_state(unknown, followed, manifest)
        for update in updates:
            self._updates.put(update)
        if updates:
            self._on_updates()
        self._manifest, self._up_to_date = manifest, everything

    def _current_state(
        self, unknown: frozenset[str], followed: Mapping[str, frozenset[str]], manifest: Manifest
    ) -> list[EntryUpdate]:
        """Return the tombstones of the unknown entries, and the entries as they are listed."""
        ended, listed = self._lists.tombstones(sorted(unknown)), list[Entry]()
        for name, entry_ids in followed.items():
            listed += self._listed_in(manifest.lists.get(name), sorted(entry_ids & unknown))
        # An entry that has left its list may have been put on another.
        elsewhere = sorted({tombstone.entry_id for tombstone in ended} - {entry.entry_id for entry in listed})
        for list_manifest in manifest.lists.values():
            listed += self._listed_in(list_manifest, elsewhere)
        return [*_listed_at(manifest, listed), *ended]

    def _listed_in(self, list_manifest: ListManifest | None, entry_ids: Sequence[str]) -> list[Entry]:
        listed: list[Entry] = []
        for start in range(0, len(entry_ids), _ENTRIES_PER_REQUEST):
            listed += self._lists.entries_of(list_manifest, entry_ids[start : start + _ENTRIES_PER_REQUEST]).values()
        return listed

    def _run(self) -> None:
        while not self._stop.wait(self._poll_seconds):
            try:
                self.poll_list()
                if self._is_silent:
                    log.info("the list answers again")
                self._is_silent = False
            except AnprError as error:
                if not self._is_silent:
                    log.warning(
                        "the list does not answer; changed and ended entries will be read again",
                        code=error.code,
                        reason=str(error),
                        next_step=error.next_step,
                    )
                self._is_silent = True
            except Exception:
                # Without this thread the board would show entries that have ended for ever.
                log.exception("cannot update the entries on the board, trying again")


def _listed_at(manifest: Manifest, entries: Iterable[Entry]) -> list[EntryListed]:
    return [EntryListed(entry=entry, generation=manifest.generation) for entry in entries]
