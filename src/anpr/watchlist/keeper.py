"""Keeps the lists at their home: takes entries off as their validity ends, and texts out that were removed.

It runs beside the one writable Redis. It knows of each entry only its id and its end, follows the lists by what
changed, and so takes an entry off within a moment of its end however long the list is. A second one that runs at the
same time does no harm: of two changes at once one is refused.
"""

import heapq
from collections import defaultdict
from datetime import datetime, timedelta

from anpr.runtime import metrics
from anpr.runtime.clock import Clock
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger
from anpr.watchlist.store.list_writer import is_compaction_due
from anpr.watchlist.store.manifest import Manifest
from anpr.watchlist.store.store import WatchlistStore

log = get_logger(__name__)


class ListKeeper:
    """Call `run_once` again and again. `trouble` is what keeps it from its work, in words; empty when all is well."""

    def __init__(self, store: WatchlistStore, keep_removed_for: timedelta, clock: Clock) -> None:
        """A text that was removed stays in Redis for `keep_removed_for` before its list is written without it."""
        self._store = store
        self._keep_removed_for = keep_removed_for
        self._clock = clock
        self._told = ""
        self.problem = "the watchlist's Redis has not answered yet"
        self._manifest: Manifest | None = None
        self._ends: dict[str, tuple[datetime, str]] = {}  # entry id → its end and its list
        self._next: list[tuple[datetime, str]] = []  # a heap of ends and ids; some of them are no longer so

    def run_once(self) -> None:
        """Do what is due. Whatever goes wrong is told and tried again at the next turn."""
        try:
            manifest = self._store.read_manifest()
            if manifest is not None and self._follow(manifest):
                self._keep(manifest)
        except AnprError as error:
            if error.code != self._told:  # said once, not at every turn while Redis is away
                log.warning("lists not kept", code=error.code, error=str(error), next_step=error.next_step)
            self._told, self.problem = error.code, f"{error} (docs/errors.md#{error.code})"
        else:
            if self._told:
                log.info("lists are kept again")
            self._told = self.problem = ""

    def _keep(self, manifest: Manifest) -> None:
        now = self._clock()
        for list_name, entry_ids in self._over(now).items():
            applied = self._store.expire(list_name, entry_ids, now)
            metrics.EXPIRED.inc(applied.removed)
            log.info("entries expired", list=list_name, entries=applied.removed, generation=str(applied.generation))
        for list_name, list_manifest in manifest.lists.items():
            is_old = bool(list_manifest.deltas) and now - list_manifest.snapshot_written_at >= self._keep_removed_for
            if is_old or is_compaction_due(list_manifest):
                self._store.compact(list_name, manifest, now)
                log.info("list written anew", list=list_name)

    def _follow(self, manifest: Manifest) -> bool:
        """Learn what has changed since the last turn. False: the list has moved on while it was read."""
        if self._manifest is not None and self._manifest.generation == manifest.generation:
            return True
        changes = self._store.changes(self._manifest, manifest) if self._manifest is not None else None
        if changes is None:
            ends: dict[str, tuple[datetime, str]] = {}
            for list_name, list_manifest in manifest.lists.items():
                of_list = self._store.validity_ends(list_manifest)
                if of_list is None:
                    return False
                ends.update((entry_id, (end, list_name)) for entry_id, end in of_list.items())
            self._ends = ends
            self._next = [(end, entry_id) for entry_id, (end, _) in ends.items()]
            heapq.heapify(self._next)
        else:
            for entry_id in changes.removed:
                self._ends.pop(entry_id, None)
            for entry in changes.put:
                self._ends[entry.entry_id] = (entry.valid_until, entry.list)
                heapq.heappush(self._next, (entry.valid_until, entry.entry_id))
        self._manifest = manifest
        return True

    def _over(self, now: datetime) -> dict[str, list[str]]:
        """Return by list the entries whose end has come; they stay known until the list says that they are gone."""
        over: defaultdict[str, list[str]] = defaultdict(list)
        due: list[tuple[datetime, str]] = []
        while self._next and self._next[0][0] <= now:
            end, entry_id = heapq.heappop(self._next)
            known = self._ends.get(entry_id)
            if known is not None and known[0] == end:
                over[known[1]].append(entry_id)
                due.append((end, entry_id))
        for one in due:  # until they are seen to be gone: taking them off may fail
            heapq.heappush(self._next, one)
        return over
