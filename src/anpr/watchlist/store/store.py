"""The watchlist in Redis and the commands that change it. Every change is a new generation.

Theory of operation. The manifest names the active generation and, for each list, the values that hold its entries: a
snapshot of 250 entries to a value, and small deltas on it (`manifest`, `keys`). A change writes its entries first and
then the manifest, in one transaction (`transaction`), so nobody ever sees half a change. A change that is small
beside its list costs one delta (`list_writer`). The newest of the older deltas are combined first, so there are never
more than a few, and a follower reads only the newest. When the deltas outgrow a share of the snapshot, the list
keeper compacts the list.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

import msgspec
import redis

from anpr.contracts.events import NO_GENERATION, Entry, Generation
from anpr.contracts.local_days import LocalDays
from anpr.runtime.errors import InputError
from anpr.watchlist.changes import Changes, changes_between
from anpr.watchlist.progress import Progress, silent
from anpr.watchlist.store.applied_change import AppliedChange, Author
from anpr.watchlist.store.entry_storage import require_whole
from anpr.watchlist.store.list_writer import Edit
from anpr.watchlist.store.manifest import (
    CameraCalibration,
    CompactedFrom,
    ListManifest,
    Manifest,
    SnapshotRef,
)
from anpr.watchlist.store.preconditions import NO_PRECONDITIONS, Preconditions
from anpr.watchlist.store.reader import WatchlistReader, connect, unavailable
from anpr.watchlist.store.transaction import ChangedMeanwhileError, ChangeRequest, ListRetention, Transactions

__all__ = ["NO_GENERATION", "AppliedChange", "Author", "Manifest", "Preconditions", "WatchlistStore", "connect"]

NOBODY = Author()
_EXISTING_LIST = Preconditions(allows_new_list=False)


class WatchlistStore(WatchlistReader):
    """Reads and changes the lists. Every method raises UnavailableError while Redis does not answer.

    A method that changes a list raises AnprError when the preconditions are not met or when somebody else changes the
    watchlist meanwhile, and InputError when another list has one of the ids. Nothing is changed then.
    """

    def __init__(
        self,
        client: redis.Redis,
        keep_tombstones: timedelta,
        keep_previous: int = 10,
        keep_previous_for: timedelta = timedelta(hours=72),
        manifest_client: redis.Redis | None = None,
    ) -> None:
        """Keep tombstones for `keep_tombstones`, and at most `keep_previous` states for `keep_previous_for`."""
        super().__init__(client, manifest_client)
        retention = ListRetention(keep_tombstones, keep_previous, keep_previous_for)
        # A reader of its own: a reference to this store would be a cycle, and leave the client's sockets open.
        self._transactions = Transactions(client, WatchlistReader(client, manifest_client), retention)

    def apply(  # noqa: PLR0913  what, why, when, who, on what conditions
        self,
        list_name: str,
        entries: Sequence[Entry],
        why: str,
        now: datetime,
        *,
        author: Author = NOBODY,
        preconditions: Preconditions = NO_PRECONDITIONS,
        progress: Progress = silent,
    ) -> AppliedChange:
        """Replace a list by these entries. No two have the same id."""

        def work_out(list_manifest: ListManifest | None, generation: Generation) -> Edit:
            all_before = self._all_by_id(list_manifest)
            return Edit(changes_between(all_before, entries, generation), all_before, all_before)

        request = ChangeRequest(
            list_name=list_name, why=why, now=now, author=author, preconditions=preconditions, progress=progress
        )
        return self._transactions.commit(request, work_out)

    def change(  # noqa: PLR0913  as above
        self,
        list_name: str,
        put: Sequence[Entry],
        remove: Sequence[str],
        *,
        why: str,
        now: datetime,
        author: Author,
        preconditions: Preconditions = NO_PRECONDITIONS,
        replaced: Mapping[str, Entry] | None = None,
        is_by_person: bool = True,
    ) -> AppliedChange:
        """Put these entries on a list, and remove others by their ids.

        With `replaced`, the active entries with these ids must still be these, or nothing is changed. A change that
        `is_by_person` refuses another that is determined at the same time, and can be rolled back to.
        """

        def work_out(list_manifest: ListManifest | None, generation: Generation) -> Edit:
            before = self.entries_of(list_manifest, [*(entry.entry_id for entry in put), *remove])
            if replaced is not None and before != replaced:
                raise ChangedMeanwhileError
            of_put = {entry.entry_id: before[entry.entry_id] for entry in put if entry.entry_id in before}
            changed = changes_between(of_put, put, generation).put
            return Edit(Changes(changed, sorted(before.keys() & set(remove))), before, is_by_person=is_by_person)

        request = ChangeRequest(list_name=list_name, why=why, now=now, author=author, preconditions=preconditions)
        return self._transactions.commit(request, work_out)

    def rollback(  # noqa: PLR0913  as above
        self,
        list_name: str,
        to: Generation | None,
        *,
        why: str,
        now: datetime,
        author: Author,
        preconditions: Preconditions = NO_PRECONDITIONS,
        progress: Progress = silent,
    ) -> AppliedChange:
        """Apply again the state of a list at a generation. Without `to`, the state before the last change."""
        kept = {state.list_manifest.generation: state.list_manifest for state in self.previous_states(list_name)}
        if not kept or (to is not None and to not in kept):
            raise InputError(
                "watchlist-nothing-to-roll-back-to",
                f"the list {list_name!r} cannot be rolled back to {to or 'its previous state'}: "
                + (
                    f"Redis keeps {', '.join(map(str, kept))}"
                    if kept
                    else "Redis keeps no previous state of this list"
                ),
                "`anpr watchlist show` lists the states that are kept. For an older one, apply its file again",
            )
        entries = require_whole(self.load_list(kept[to or max(kept)]))
        return self.apply(list_name, entries, why, now, author=author, preconditions=preconditions, progress=progress)

    def expire(self, list_name: str, entry_ids: Sequence[str], now: datetime, days: LocalDays) -> AppliedChange:
        """Remove the entries whose validity has ended at every site."""

        def work_out(list_manifest: ListManifest | None, _: Generation) -> Edit:
            before = self.entries_of(list_manifest, entry_ids)
            expired = sorted(entry.entry_id for entry in before.values() if days.latest_end(entry) <= now)
            return Edit(Changes([], expired), before, is_by_person=False)

        request = ChangeRequest(
            list_name=list_name,
            why="its validity has ended",
            now=now,
            author=Author(command="expire"),
            preconditions=_EXISTING_LIST,
        )
        return self._transactions.commit(request, work_out)

    def compact(self, list_name: str, manifest: Manifest, now: datetime) -> AppliedChange:
        """Write a new snapshot of a list that includes its deltas in `manifest`, without the entries they removed.

        It takes seconds for a list of a million, and delays no other change: changes that are made meanwhile stay
        deltas. Raises AnprError when the snapshot was replaced meanwhile.
        """
        compacted = manifest.lists[list_name]
        snapshot = self._write_snapshot(compacted)

        def work_out(list_manifest: ListManifest | None, _: Generation) -> Edit:
            if list_manifest is None or list_manifest.snapshot != compacted.snapshot:
                raise ChangedMeanwhileError
            after = msgspec.structs.replace(
                list_manifest,
                snapshot=snapshot,
                snapshot_written_at=now,
                deltas=tuple(delta for delta in list_manifest.deltas if delta.generation > manifest.generation),
                compacted_from=CompactedFrom(compacted.snapshot.id, compacted.deltas),
            )
            return Edit(Changes([], []), {}, is_by_person=False, compacted=after)

        request = ChangeRequest(
            list_name=list_name,
            why="the list was compacted: the removed entries are deleted for good",
            now=now,
            author=Author(command="compact"),
            preconditions=_EXISTING_LIST,
        )
        return self._transactions.commit(request, work_out)

    def calibrate(
        self, calibrations: Sequence[CameraCalibration], *, why: str, now: datetime, author: Author
    ) -> AppliedChange:
        """Calibrate these cameras from now on, each in place of a calibration that it has."""

        def work_out(before: Sequence[CameraCalibration], generation: Generation) -> list[CameraCalibration]:
            new = [msgspec.structs.replace(one, generation=generation, applied_at=now) for one in calibrations]
            after = {calibration.name: calibration for calibration in (*before, *new)}
            return sorted(after.values(), key=attrgetter("name"))

        return self._transactions.commit_calibrations(why, now, author, work_out)

    def remove_calibrations(
        self, site: str, cameras: Collection[str], *, why: str, now: datetime, author: Author
    ) -> AppliedChange:
        """Calibrate these cameras of a site no more; without a name none of the site."""

        def work_out(before: Sequence[CameraCalibration], _: Generation) -> list[CameraCalibration]:
            of_site = {calibration.camera for calibration in before if calibration.site == site}
            unknown = sorted(set(cameras) - of_site)
            if unknown or not of_site:
                named = f"camera {unknown[0]!r}" if unknown else "no camera"
                raise InputError(
                    "calibration-none",
                    f"{named} of {site!r} is {'not ' if unknown else ''}calibrated; nothing was changed",
                    "`anpr calibration show` lists the calibrated cameras",
                )
            removed = {(site, camera) for camera in cameras or of_site}
            return [calibration for calibration in before if calibration.name not in removed]

        return self._transactions.commit_calibrations(why, now, author, work_out)

    def _write_snapshot(self, list_manifest: ListManifest) -> SnapshotRef:
        try:
            entries = require_whole(self._storage.all_encoded(list_manifest))
            entries.sort(key=lambda entry: entry[0].entry_id)
            return self._storage.snapshots.write(entries, len(entries), silent)
        except redis.RedisError as error:
            raise unavailable(error) from error

    def _all_by_id(self, list_manifest: ListManifest | None) -> dict[str, Entry]:
        if list_manifest is None:
            return {}
        return {entry.entry_id: entry for entry in require_whole(self.load_list(list_manifest))}
