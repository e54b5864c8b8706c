"""Reads the watchlist. Services use it on a replica of the watchlist's Redis, which they never write to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError, ResponseError
from redis.retry import Retry

from anpr.contracts.events import Entry, EntryEnded, Generation
from anpr.contracts.local_days import LocalDays
from anpr.matching.encoding.encoded_entry import EncodedEntry
from anpr.runtime.errors import AnprError, InputError, UnavailableError
from anpr.runtime.plurals import counted
from anpr.watchlist.changes import Changes, combine_changes
from anpr.watchlist.progress import Progress, silent
from anpr.watchlist.store import keys
from anpr.watchlist.store.applied_change import LoggedChange
from anpr.watchlist.store.entry_storage import EntryStorage, require_whole
from anpr.watchlist.store.manifest import ListManifest, Manifest, PreviousState, unknown_fields

# Lists up to this size are compared entry by entry where their deltas do not show what has changed.
COMPARED_ENTRIES = 10_000


def connect(url: str, timeout_seconds: float = 2) -> redis.Redis:
    """Return a client that answers or fails soon: the caller continues with its present list, and tries again."""
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),
            client_name="anpr",
        )
    except ValueError as error:
        raise InputError(
            "redis-address",
            f"the address of Redis cannot be used: {error}",
            "write it like redis://host:6379/0",
        ) from None


# What reading raises where Redis does not answer, or holds bytes that this version has not written.
UNREADABLE: Final = (redis.RedisError, msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class WatchlistReader:
    """`read_manifest`, then `load` for all entries, or `changes` since an earlier manifest.

    Every method raises UnavailableError while Redis does not answer.
    """

    def __init__(self, client: redis.Redis, manifest_client: redis.Redis | None = None) -> None:
        """Read with `client`, and the manifest with `manifest_client`: a shorter timeout shows a hang sooner."""
        # Its annotations cover other protocols and text answers too; this one gives bytes.
        self._redis: Any = client
        self._manifest_redis: Any = manifest_client or client
        self._storage = EntryStorage(client)
        self._last_news: str | bytes = "0"

    def wait_for_change(self, seconds: float) -> bool:
        """Wait until the lists change, for `seconds` at most, and return whether they did.

        `seconds` is shorter than the client's timeout. False proves nothing, because an older version changes the
        lists without a record of `news`. So read the manifest either way.
        """
        try:
            news = self._redis.xread({keys.NEWS: self._last_news}, block=max(round(seconds * 1000), 1))
        except UNREADABLE as error:
            raise unavailable(error) from error
        for _, records in news:
            self._last_news = records[-1][0]
        return bool(news)

    def read_manifest(self, *, to_change: bool = False) -> Manifest | None:
        """Return the manifest of the active generation, or None when Redis holds no list at all.

        Raises AnprError for one `to_change` that has fields of a newer version: a change would drop them.
        """
        try:
            value = self._manifest_redis.get(keys.MANIFEST)
        except UNREADABLE as error:
            raise unavailable(error) from error
        try:
            manifest = None if value is None else msgspec.json.decode(value, type=Manifest)
        except UNREADABLE as error:
            raise unavailable(error) from None
        if to_change and manifest is not None and (unknown := unknown_fields(value, manifest)):
            raise AnprError(
                "watchlist-newer-version",
                "a newer version wrote the watchlist in Redis: "
                f"a change by this one would drop {', '.join(unknown[:3])}; nothing was changed",
                "upgrade this machine, then try again",
            )
        return manifest

    def load(self, manifest: Manifest) -> list[Entry] | None:
        """Return all entries of a generation, or None when it is not whole any more: read the manifest again."""
        entries: list[Entry] = []
        for list_manifest in manifest.lists.values():
            entries_of_list = self.load_list(list_manifest)
            if entries_of_list is None:
                return None
            entries += entries_of_list
        return entries

    def load_encoded(self, manifest: Manifest) -> list[EncodedEntry] | None:
        """Return what `load` returns, undecoded."""
        entries: list[EncodedEntry] = []
        try:
            for list_manifest in manifest.lists.values():
                entries_of_list = self._storage.all_encoded(list_manifest)
                if entries_of_list is None:
                    return None
                entries += entries_of_list
        except UNREADABLE as error:
            raise unavailable(error) from error
        return entries

    def load_list(self, list_manifest: ListManifest, progress: Progress = silent) -> list[Entry] | None:
        """Return all entries of one list, or None when it is not whole any more. `progress` counts entries."""
        try:
            return self._storage.all_entries(list_manifest, progress)
        except UNREADABLE as error:
            raise unavailable(error) from error

    def validity_ends(self, list_manifest: ListManifest, days: LocalDays) -> dict[str, datetime] | None:
        """Return by entry id when each entry of a list has ended at every site.

        None: the list is not whole any more.
        """
        try:
            return self._storage.validity_ends(list_manifest, days)
        except UNREADABLE as error:
            raise unavailable(error) from error

    def changes(self, before: Manifest, after: Manifest) -> Changes | None:
        """Return the changes from the entries of `before` to those of `after`; None: load `after` as a whole.

        None is the answer when a large list got a new snapshot with changes in it, when `after` is not whole any
        more, and when a fail-over in between may have lost changes that `before` has.
        """
        if before.generation > after.generation or not before.lists.keys() <= after.lists.keys():
            return None
        is_one_epoch = before.generation.epoch == after.generation.epoch
        parts: list[Changes] = []
        for name, list_after in after.lists.items():
            try:
                part = self._changes_of_list(
                    before.lists.get(name), list_after, before.generation, is_one_epoch=is_one_epoch
                )
            except UNREADABLE as error:
                raise unavailable(error) from error
            if part is None:
                return None
            parts.append(part)
        put = {entry.entry_id: entry for part in parts for entry in part.put}
        # An id that moved from one list to another is removed from the one and put on the other.
        removed = {entry_id for part in parts for entry_id in part.removed} - put.keys()
        return Changes(list(put.values()), sorted(removed))

    def _changes_of_list(
        self, before: ListManifest | None, after: ListManifest, since: Generation, *, is_one_epoch: bool
    ) -> Changes | None:
        if before == after:
            return Changes([], [])
        deltas = after.deltas_since(before, since) if before is not None else None
        if before is not None and deltas is not None and (is_one_epoch or self._has_kept_all(before, after, since)):
            # Older changes in a combined delta are left out: the id may be on another list since then.
            changes = self._storage.deltas.read(deltas, since)
            return None if changes is None else combine_changes(changes)
        if max(before.entries if before else 0, after.entries) > COMPARED_ENTRIES:
            return None
        old, new = self.load_list(before) if before else [], self.load_list(after)
        if old is None or new is None:
            return None
        old_by_id = {entry.entry_id: entry for entry in old}
        put = [entry for entry in new if old_by_id.pop(entry.entry_id, None) != entry]
        return Changes(put, list(old_by_id))

    def _has_kept_all(self, before: ListManifest, after: ListManifest, since: Generation) -> bool:
        """Tell whether a list certainly has, after a fail-over, all changes that it had at `before`.

        No generation is given out twice, and a Redis that has one generation has all before it. So it is enough to
        find a trace of the last change that `before` had.
        """
        if not before.deltas:
            return True
        last = before.deltas[-1].generation
        deltas = after.deltas_since(before, msgspec.structs.replace(last, number=last.number - 1))
        return deltas is not None and self._storage.deltas.have_change_between(deltas, last, since)

    def refuse_shared_ids(self, manifest: Manifest | None, list_name: str, entry_ids: Sequence[str]) -> None:
        """Raise InputError when another list has one of these ids: their alerts would be taken for one another's."""
        for name, list_manifest in manifest.lists.items() if manifest and entry_ids else ():
            if name == list_name:
                continue
            try:
                shared = sorted(require_whole(self._storage.ids(list_manifest, entry_ids)))
            except redis.RedisError as error:
                raise unavailable(error) from error
            if shared:
                raise InputError(
                    "watchlist-shared-ids",
                    f"{counted(len(shared), 'entry id')} of {list_name!r}, {shared[0]!r} among them, "
                    f"{'is' if len(shared) == 1 else 'are'} in the list {name!r}; nothing was changed",
                    "an id belongs to one entry of one list: change the ids, or leave the entry_id column out",
                )

    def entries_of(self, list_manifest: ListManifest | None, entry_ids: Sequence[str]) -> dict[str, Entry]:
        """Return by id those of these entries that a list has. Raises AnprError when the list is not whole."""
        try:
            return require_whole(self._storage.entries(list_manifest, entry_ids)) if list_manifest else {}
        except UNREADABLE as error:
            raise unavailable(error) from error

    def entries_with_plate(self, list_manifest: ListManifest, plate: str) -> list[Entry]:
        """Return the entries of a list for a plate or pattern, however written. Raises AnprError as `entries_of`."""
        try:
            return require_whole(self._storage.with_plate(list_manifest, plate))
        except UNREADABLE as error:
            raise unavailable(error) from error

    def tombstones(self, entry_ids: Sequence[str]) -> list[EntryEnded]:
        """Return the tombstones of those of these entries that have ended."""
        if not entry_ids:
            return []
        try:
            values = self._redis.hmget(keys.TOMBSTONES, list(entry_ids))
        except UNREADABLE as error:
            raise unavailable(error) from error
        return [msgspec.json.decode(value, type=EntryEnded) for value in values if value is not None]

    def logged_changes(self, count: int) -> list[LoggedChange]:
        """Return the newest changes, the last one first."""
        try:
            values = self._redis.lrange(keys.LOG, -count, -1)
        except UNREADABLE as error:
            raise unavailable(error) from error
        return [msgspec.json.decode(value, type=LoggedChange) for value in reversed(values)]

    def previous_states(self, list_name: str) -> list[PreviousState]:
        """Return the states that a list can be rolled back to, the oldest first."""
        try:
            value = self._redis.get(keys.previous_states_key(list_name))
        except UNREADABLE as error:
            raise unavailable(error) from error
        return [] if value is None else msgspec.json.decode(value, type=list[PreviousState])


def unavailable(error: Exception) -> AnprError:
    """Return the error that people see for an error of the Redis client, or for bytes in Redis that are no list."""
    if not isinstance(error, redis.RedisError):
        return AnprError(
            "watchlist-other-version",
            f"the watchlist in Redis was written by another version, or is damaged: {error or type(error).__name__}",
            "run the same version everywhere, or delete the keys anpr:watchlist:* and apply the lists again",
        )
    reason = str(error).rpartition("caused error: ")[2]  # before it stands the command, with all that it writes
    if isinstance(error, NoPermissionError):
        return UnavailableError(
            "redis-not-permitted",
            f"the watchlist's Redis does not permit this: {reason}",
            "use a Redis user that may, or ask an engineer for the permission",
        )
    if isinstance(error, ResponseError):
        return UnavailableError(
            "redis-refused",
            f"the watchlist's Redis refuses this: {reason}",
            "run `anpr doctor`: it says whether Redis is full, or a copy that takes no changes",
        )
    return UnavailableError(
        "redis-unavailable",
        f"the watchlist's Redis does not answer: {reason}",
        "check that it runs and that its URL is right: `anpr doctor` tries every address",
    )
