"""The list keeper: removes entries when their validity has ended at every site, and compacts lists.

It runs beside the one writable Redis. It holds only the id and the end of each entry, and follows the lists by their
changes. So it removes an entry within a moment of its end, however long the list is. A second keeper at the same time
does no harm: of two changes at the same time, one is refused.
"""

import heapq
from collections import defaultdict
from datetime import datetime, timedelta

from anpr.contracts.local_days import LocalDays
from anpr.runtime import metrics
from anpr.runtime.clock import Clock
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger
from anpr.watchlist.store.list_writer import is_compaction_due
from anpr.watchlist.store.manifest import Manifest
from anpr.watchlist.store.store import WatchlistStore

log = get_logger(__name__)


class ListKeeper:
    """Call `run_once` again and again. `problem` says in words why the lists are not kept; empty when they are."""

    def __init__(self, store: WatchlistStore, keep_removed_for: timedelta, clock: Clock, days: LocalDays) -> None:
        """An entry that was removed stays in the snapshot for `keep_removed_for` before its list is compacted."""
        self._store = store
        self._keep_removed_for = keep_removed_for
        self._clock = clock
        self._days = days
        self._logged_code = ""  # of the error that was logged last
        self.problem = "the watchlist's Redis has not answered yet"
        self._manifest: Manifest | None = None
        self._ends: dict[str, tuple[datetime, str]] = {}  # entry id → its end and its list
        self._next: list[tuple[datetime, str]] = []  # a heap of ends and entry ids; some are out of date

    def run_once(self) -> None:
        """Remove ended entries and compact lists that are due. An error is logged, and the next run tries again."""
        try:
            manifest = self._store.read_manifest(to_change=True)
            if manifest is not None and self._follow(manifest):
                self._keep(manifest)
        except AnprError as error:
            if error.code != self._logged_code:  # only once while Redis is away
                log.warning(
                    "housekeeping of the lists failed", code=error.code, error=str(error), next_step=error.next_step
                )
            self._logged_code, self.problem = error.code, f"{error} (docs/errors.md#{error.code})"
        else:
            if self._logged_code:
                log.info("the list keeper works again")
            self._logged_code = self.problem = ""

    def _keep(self, manifest: Manifest) -> None:
        now = self._clock()
        for list_name, entry_ids in self._expired(now).items():
            applied = self._store.expire(list_name, entry_ids, now, self._days)
            metrics.EXPIRED.inc(applied.removed)
            log.info("entries expired", list=list_name, entries=applied.removed, generation=str(applied.generation))
        for list_name, list_manifest in manifest.lists.items():
            is_old = bool(list_manifest.deltas) and now - list_manifest.snapshot_written_at >= self._keep_removed_for
            if is_old or is_compaction_due(list_manifest):
                self._store.compact(list_name, manifest, now)
                log.info("list compacted", list=list_name)

    def _follow(self, manifest: Manifest) -> bool:
        """Read the changes since the last run. Return False when the list changed while it was read."""
        if self._manifest is not None and self._manifest.generation == manifest.generation:
            return True
        changes = self._store.changes(self._manifest, manifest) if self._manifest is not None else None
        if changes is None:
            ends: dict[str, tuple[datetime, str]] = {}
            for list_name, list_manifest in manifest.lists.items():
                ends_of_list = self._store.validity_ends(list_manifest, self._days)
                if ends_of_list is None:
                    return False
                ends.update((entry_id, (end, list_name)) for entry_id, end in ends_of_list.items())
            self._ends = ends
            self._next = [(end, entry_id) for entry_id, (end, _) in ends.items()]
            heapq.heapify(self._next)
        else:
            for entry_id in changes.removed:
                self._ends.pop(entry_id, None)
            for entry in changes.put:
                end = self._days.latest_end(entry)
                self._ends[entry.entry_id] = (end, entry.list)
                heapq.heappush(self._next, (end, entry.entry_id))
        self._manifest = manifest
        return True

    def _expired(self, now: datetime) -> dict[str, list[str]]:
        """Return by list the entries whose validity has ended. They are kept here until they have left the list."""
        expired: defaultdict[str, list[str]] = defaultdict(list)
        due: list[tuple[datetime, str]] = []
        while self._next and self._next[0][0] <= now:
            end, entry_id = heapq.heappop(self._next)
            end_and_list = self._ends.get(entry_id)
            if end_and_list is not None and end_and_list[0] == end:
                expired[end_and_list[1]].append(entry_id)
                due.append((end, entry_id))
        for end_and_id in due:  # removing them may fail
            heapq.heappush(self._next, end_and_id)
        return expired
