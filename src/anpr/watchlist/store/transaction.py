"""One change of the watchlist as one Redis transaction: readers see the whole change or nothing.

The entries are written first, where no manifest names them. The transaction then replaces the manifest. It fails when
somebody else has replaced the manifest since it was read. With the manifest it writes the new deltas, the tombstones
of the removed entries, the states that can be rolled back to, and a line of the log. A change of the calibrations
touches no list.

A generation is (epoch, number). The number counts changes. The epoch is renewed when Redis has another replication id
than at the last change, which it has after every fail-over. So a Redis that lost the newest changes in a fail-over
cannot give their generations out again.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import redis

from anpr.contracts.events import EntryEnded, Generation
from anpr.runtime.errors import AnprError, UnavailableError
from anpr.watchlist.progress import Progress, silent
from anpr.watchlist.reserved_lists import CALIBRATION
from anpr.watchlist.store import keys
from anpr.watchlist.store.applied_change import AppliedChange, Author, LoggedChange
from anpr.watchlist.store.entry_storage import EntryStorage
from anpr.watchlist.store.list_writer import Edit, ListWriter
from anpr.watchlist.store.manifest import (
    CameraCalibration,
    DeltaRef,
    ListManifest,
    Manifest,
    PreviousState,
    SnapshotRef,
)
from anpr.watchlist.store.preconditions import NO_PRECONDITIONS, Preconditions, check_preconditions
from anpr.watchlist.store.reader import WatchlistReader, unavailable
from anpr.watchlist.store.snapshot_storage import UNNAMED_VALUES_KEPT_FOR

_LOG_RECORDS = 10_000
# Entries named by one command to Redis.
_ENTRIES_AT_ONCE = 1000

# Determines a change from the present list (None when there is no such list) and the generation that it will make.
WorkOut = Callable[[ListManifest | None, Generation], Edit]
# Determines the calibrations from the present ones and the generation that the change will make.
WorkOutCalibrations = Callable[[Sequence[CameraCalibration], Generation], Sequence[CameraCalibration]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """Which list is to be changed, why, when, by whom, and on what conditions."""

    list_name: str
    why: str
    now: datetime
    author: Author
    preconditions: Preconditions = NO_PRECONDITIONS
    progress: Progress = silent


@dataclass(frozen=True, slots=True)
class ListRetention:
    """How long tombstones stay, and how many states of a list can be rolled back to, for how long."""

    tombstones: timedelta
    previous_states: int
    previous_states_for: timedelta


class Transactions:
    """Commits changes of lists."""

    def __init__(self, client: redis.Redis, reader: WatchlistReader, retention: ListRetention) -> None:
        """Write with `client`; read the manifest and the previous states with `reader`."""
        self._redis: Any = client
        self._reader = reader
        self._storage = EntryStorage(client)
        self._writer = ListWriter(self._storage)
        self._retention = retention

    def commit(self, request: ChangeRequest, work_out: WorkOut) -> AppliedChange:
        """Determine a change and apply it, unless a person has changed the watchlist meanwhile.

        When expiry or compaction changed it meanwhile, the change is determined again.
        """
        while True:
            at_start = _last_generations_by_people(self._reader.read_manifest())
            try:
                return self._try_commit(request, work_out)
            except _OvertakenError:
                if _last_generations_by_people(self._reader.read_manifest()) != at_start:
                    raise

    def _try_commit(self, request: ChangeRequest, work_out: WorkOut) -> AppliedChange:
        list_name, now = request.list_name, request.now
        try:
            with self._redis.pipeline() as pipe:
                manifest, generation, replication_id = self._begin(pipe, now)
                check_preconditions(request.preconditions, list_name, manifest)
                before = manifest.lists.get(list_name) if manifest else None
                edit = work_out(before, generation)
                self._reader.refuse_shared_ids(manifest, list_name, [entry.entry_id for entry in edit.changes.put])
                applied = _applied_change(list_name, edit, before, generation)
                if (limit := request.preconditions.removal_limit) is not None:
                    limit.check(list_name, before.entries if before else 0, applied.removed, applied.entries)
                written = self._writer.write(
                    edit, before, generation, now, entries=applied.entries, progress=request.progress
                )
                pipe.multi()
                lists = {**(manifest.lists if manifest else {}), list_name: written.list_manifest}
                calibrations = manifest.calibrations if manifest else ()
                _set_manifest(pipe, Manifest(generation, now, replication_id, lists, calibrations))
                for key, delta in written.deltas.items():
                    pipe.set(key, delta)
                self._keep_previous_state(
                    pipe, list_name, before, written.list_manifest, now, can_be_rolled_back_to=edit.is_by_person
                )
                self._write_tombstones(pipe, edit.changes.removed, generation, request.why, now)
                _write_log(pipe, applied, request)
                _execute(pipe, generation)
        except redis.RedisError as error:
            raise unavailable(error) from error
        return applied

    def commit_calibrations(
        self, why: str, now: datetime, author: Author, work_out: WorkOutCalibrations
    ) -> AppliedChange:
        """Change the calibrations. When the watchlist is changed meanwhile, the change is determined again."""
        request = ChangeRequest(list_name=CALIBRATION, why=why, now=now, author=author)
        while True:
            with suppress(_OvertakenError):
                return self._try_commit_calibrations(request, work_out)

    def _try_commit_calibrations(self, request: ChangeRequest, work_out: WorkOutCalibrations) -> AppliedChange:
        try:
            with self._redis.pipeline() as pipe:
                manifest, generation, replication_id = self._begin(pipe, request.now)
                if manifest is None:
                    raise AnprError(
                        "watchlist-emptied",
                        "Redis holds no watchlist at all; nothing was changed",
                        "if Redis held lists before, it came back empty: restore it. Otherwise apply a list first",
                    )
                after = tuple(work_out(manifest.calibrations, generation))
                applied = _applied_calibrations(manifest.calibrations, after, generation)
                pipe.multi()
                _set_manifest(pipe, Manifest(generation, request.now, replication_id, manifest.lists, after))
                _write_log(pipe, applied, request)
                _execute(pipe, generation)
        except redis.RedisError as error:
            raise unavailable(error) from error
        return applied

    def _begin(self, pipe: Any, now: datetime) -> tuple[Manifest | None, Generation, str]:
        """Watch the manifest. Return it, the generation of the change, and the replication id of Redis."""
        pipe.watch(keys.MANIFEST)
        manifest = self._reader.read_manifest(to_change=True)
        replication_id = str(self._redis.info("replication")["master_replid"])
        return manifest, _next_generation(manifest, replication_id, now), replication_id

    def _keep_previous_state(  # noqa: PLR0913  the list before and after, and where to write it
        self,
        pipe: Any,
        list_name: str,
        before: ListManifest | None,
        after: ListManifest,
        now: datetime,
        *,
        can_be_rolled_back_to: bool,
    ) -> None:
        """Keep the state before the change while it can be rolled back to, and let all other values expire."""
        states = self._reader.previous_states(list_name)
        if before is not None and can_be_rolled_back_to:
            states.append(PreviousState(before, now))
        kept_for = self._retention.previous_states_for
        newest = states[-self._retention.previous_states :]
        kept = [state for state in newest if now - state.replaced_at < kept_for]
        pipe.set(keys.previous_states_key(list_name), msgspec.json.encode(kept), ex=kept_for)
        active = keys.parts_of(after)
        needed_to_roll_back = _parts_of_states(kept) - active
        all_parts = keys.parts_of(before) | _parts_of_states(states)
        for key in keys.keys_of(all_parts - active - needed_to_roll_back):
            pipe.expire(key, UNNAMED_VALUES_KEPT_FOR)
        for key in keys.keys_of(needed_to_roll_back & keys.parts_of(before)):
            pipe.expire(key, kept_for)
        if before is None or before.snapshot.id != after.snapshot.id:
            for key in keys.keys_of(active):
                pipe.persist(key)

    def _write_tombstones(
        self, pipe: Any, entry_ids: Sequence[str], generation: Generation, why: str, now: datetime
    ) -> None:
        """Write the tombstones of these entries, and delete those that are old enough."""
        for ids_slice in _slices(entry_ids):
            ended = [
                EntryEnded(entry_id=entry_id, revision=generation, ended_at=now, why=why) for entry_id in ids_slice
            ]
            pipe.hset(
                keys.TOMBSTONES, mapping={tombstone.entry_id: msgspec.json.encode(tombstone) for tombstone in ended}
            )
            pipe.zadd(keys.TOMBSTONE_TIMES, dict.fromkeys(ids_slice, now.timestamp()))
        oldest_kept = (now - self._retention.tombstones).timestamp()
        for ids_slice in _slices(self._redis.zrangebyscore(keys.TOMBSTONE_TIMES, "-inf", oldest_kept)):
            pipe.hdel(keys.TOMBSTONES, *ids_slice)
            pipe.zrem(keys.TOMBSTONE_TIMES, *ids_slice)


def _set_manifest(pipe: Any, manifest: Manifest) -> None:
    pipe.set(keys.MANIFEST, msgspec.json.encode(manifest))
    pipe.xadd(keys.NEWS, {"generation": str(manifest.generation)}, maxlen=1, approximate=False)


def _write_log(pipe: Any, applied: AppliedChange, request: ChangeRequest) -> None:
    author = request.author
    logged = LoggedChange(
        **msgspec.structs.asdict(applied),
        applied_at=request.now,
        command=author.command,
        user=author.user,
        why=request.why,
        file_sha256=author.file_sha256,
    )
    pipe.rpush(keys.LOG, msgspec.json.encode(logged))
    pipe.ltrim(keys.LOG, -_LOG_RECORDS, -1)


def _execute(pipe: Any, generation: Generation) -> None:
    try:
        pipe.execute()
    except (redis.WatchError, redis.ConnectionError, redis.TimeoutError) as error:
        # The client also raises WatchError for a connection lost during a watch: only the cause shows which it was.
        lost = error if not isinstance(error, redis.WatchError) else error.__context__
        if lost is None:
            raise _OvertakenError from None
        raise UnavailableError(
            "watchlist-apply-unknown",
            f"the watchlist's Redis stopped answering while generation {generation} was applied ({lost}): "
            "either all of the change is active or none",
            "run `anpr watchlist show` to see which generation is active. If it is an older one, run the command "
            "again",
        ) from error


def _slices(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + _ENTRIES_AT_ONCE] for start in range(0, len(values), _ENTRIES_AT_ONCE))


def _parts_of_states(states: Iterable[PreviousState]) -> set[SnapshotRef | DeltaRef]:
    return {part for state in states for part in keys.parts_of(state.list_manifest)}


def _applied_change(list_name: str, edit: Edit, before: ListManifest | None, generation: Generation) -> AppliedChange:
    added = sum(entry.entry_id not in edit.before for entry in edit.changes.put)
    removed = len(edit.changes.removed)
    return AppliedChange(
        generation=generation,
        list=list_name,
        entries=(before.entries if before else 0) + added - removed,
        added=added,
        changed=len(edit.changes.put) - added,
        removed=removed,
    )


def _applied_calibrations(
    before: Sequence[CameraCalibration], after: Sequence[CameraCalibration], generation: Generation
) -> AppliedChange:
    """Return how many cameras a change of the calibrations concerned."""
    old, new = ({calibration.name: calibration for calibration in some} for some in (before, after))
    return AppliedChange(
        generation=generation,
        list=CALIBRATION,
        entries=len(new),
        added=len(new.keys() - old.keys()),
        changed=sum(old[name] != new[name] for name in old.keys() & new.keys()),
        removed=len(old.keys() - new.keys()),
    )


class ChangedMeanwhileError(AnprError):
    """Somebody else changed the list while this change was determined."""

    def __init__(self) -> None:
        """Set the one reason and the one remedy."""
        super().__init__(
            "watchlist-changed-meanwhile",
            "somebody else changed the watchlist at the same time; nothing was changed",
            "run the command again",
        )


class _OvertakenError(ChangedMeanwhileError):
    """Another change was applied while this one was determined. This one may succeed when it is determined again."""


def _last_generations_by_people(manifest: Manifest | None) -> dict[str, Generation]:
    """Return by list the generation in which people last changed it."""
    return {name: of_list.generation for name, of_list in manifest.lists.items()} if manifest else {}


def _next_generation(manifest: Manifest | None, replication_id: str, now: datetime) -> Generation:
    if manifest is not None and manifest.replication_id == replication_id:
        return Generation(epoch=manifest.generation.epoch, number=manifest.generation.number + 1)
    epoch = round(now.timestamp() * 1000)
    return Generation(epoch=max(epoch, manifest.generation.epoch + 1) if manifest else epoch, number=1)
