"""Reads the watchlist: what services need, which may follow a replica of its home and never write to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from anpr.contracts.events import Entry, EntryEnded, Generation
from anpr.matching.encoding.encoded_entry import EncodedEntry
from anpr.runtime.errors import AnprError, InputError, UnavailableError
from anpr.watchlist.changes import Changes, changed, merged
from anpr.watchlist.progress import Progress, silent
from anpr.watchlist.store.change_records import LoggedChange, PreviousState
from anpr.watchlist.store.entry_storage import PREFIX, EntryStorage
from anpr.watchlist.store.manifest import ListManifest, Manifest

T = TypeVar("T")

# Lists up to this size are compared entry by entry where their deltas do not tell what has changed.
COMPARED_ENTRIES = 10_000
HEAD, ENDED, LOG = PREFIX + "head", PREFIX + "ended", PREFIX + "log"


def connect(url: str, timeout_seconds: float = 2) -> redis.Redis:
    """Return a client that answers or fails at once: the caller goes on with what it has, and tries again."""
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
            f"the address of Redis is not usable: {error}",
            "it looks like redis://host:6379/0",
        ) from None


class WatchlistReader:
    """`head`, then `load` for all entries, or `changes` for what became of a head that was read before.

    Every method raises UnavailableError while Redis does not answer.
    """

    def __init__(self, client: redis.Redis, head_client: redis.Redis | None = None) -> None:
        """Read with this client, and with `head_client` what is in force: less patience tells a hang sooner."""
        # Its annotations cover other protocols and text answers too; this one gives bytes.
        self._redis: Any = client
        self._head_redis: Any = head_client or client
        self._values = EntryStorage(client)

    def head(self) -> Manifest | None:
        """Return what is in force, or None when Redis holds no list at all."""
        try:
            value = self._head_redis.get(HEAD)
        except redis.RedisError as error:
            raise unavailable(error) from error
        try:
            return None if value is None else msgspec.json.decode(value, type=Manifest)
        except msgspec.ValidationError as error:
            raise AnprError(
                "watchlist-other-version",
                f"the watchlist in Redis was written by another version: {error}",
                "run the same version everywhere, or delete the keys anpr:watchlist:* and apply the lists again",
            ) from None

    def load(self, head: Manifest) -> list[Entry] | None:
        """Return all entries of a generation, or None when it is not whole any more: then read the head again."""
        entries: list[Entry] = []
        for place in head.lists.values():
            of_list = self.load_list(place)
            if of_list is None:
                return None
            entries += of_list
        return entries

    def load_encoded(self, head: Manifest) -> list[EncodedEntry] | None:
        """Return what `load` returns, undecoded."""
        entries: list[EncodedEntry] = []
        try:
            for place in head.lists.values():
                of_list = self._values.encoded(place)
                if of_list is None:
                    return None
                entries += of_list
        except redis.RedisError as error:
            raise unavailable(error) from error
        return entries

    def load_list(self, place: ListManifest, progress: Progress = silent) -> list[Entry] | None:
        """Return all entries of one list, or None when it is not whole any more. `progress` is told entries."""
        try:
            entries = self._values.base(place.base, progress)
            deltas = self._values.deltas(place.deltas)
        except redis.RedisError as error:
            raise unavailable(error) from error
        if entries is None or deltas is None:
            return None
        return changed(entries, merged(deltas)) if deltas else entries

    def ends(self, place: ListManifest) -> dict[str, datetime] | None:
        """Return by entry id when each entry of a list ends, or None when the list is not whole any more."""
        try:
            return self._values.ends(place)
        except redis.RedisError as error:
            raise unavailable(error) from error

    def changes(self, before: Manifest, after: Manifest) -> Changes | None:
        """Return what turns the entries of `before` into those of `after`; None: load `after` as a whole.

        None is the answer when a large list was written anew in between, when `after` is not whole any more, and when
        a fail-over in between may have lost what `before` has.
        """
        if before.generation > after.generation or not before.lists.keys() <= after.lists.keys():
            return None
        is_one_epoch = before.generation.epoch == after.generation.epoch
        parts: list[Changes] = []
        for name, place in after.lists.items():
            try:
                part = self._changes_of_list(
                    before.lists.get(name), place, before.generation, is_one_epoch=is_one_epoch
                )
            except redis.RedisError as error:
                raise unavailable(error) from error
            if part is None:
                return None
            parts.append(part)
        put = {entry.entry_id: entry for part in parts for entry in part.put}
        # An id that went from one list to another is removed from the one and put by the other.
        removed = {entry_id for part in parts for entry_id in part.removed} - put.keys()
        return Changes(list(put.values()), sorted(removed))

    def _changes_of_list(
        self, before: ListManifest | None, after: ListManifest, since: Generation, *, is_one_epoch: bool
    ) -> Changes | None:
        if before == after:
            return Changes([], [])
        places = after.deltas_since(before, since) if before is not None else None
        if before is not None and places is not None and (is_one_epoch or self._has_kept_all(before, after, since)):
            # What has long been so is left out: the id may be in another list since then.
            deltas = self._values.deltas(places, since)
            return None if deltas is None else merged(deltas)
        if max(before.entries if before else 0, after.entries) > COMPARED_ENTRIES:
            return None
        old, new_entries = self.load_list(before) if before else [], self.load_list(after)
        if old is None or new_entries is None:
            return None
        old_by_id = {entry.entry_id: entry for entry in old}
        put = [entry for entry in new_entries if old_by_id.pop(entry.entry_id, None) != entry]
        return Changes(put, list(old_by_id))

    def _has_kept_all(self, before: ListManifest, after: ListManifest, since: Generation) -> bool:
        """Tell whether a list that has been through a fail-over surely has all that it had at `before`.

        No generation is given out twice, and whoever has one has all before it. So it is enough to see a trace of
        the last change that `before` had.
        """
        if not before.deltas:
            return True
        last = before.deltas[-1].generation
        places = after.deltas_since(before, msgspec.structs.replace(last, number=last.number - 1))
        return places is not None and self._values.have_trace_of(places, last, since)

    def entries_of(self, place: ListManifest | None, entry_ids: Sequence[str]) -> dict[str, Entry]:
        """Return by id those of these entries that a list has. Raises AnprError when it is not whole."""
        try:
            return whole(self._values.entries(place, entry_ids)) if place else {}
        except redis.RedisError as error:
            raise unavailable(error) from error

    def entries_with_plate(self, place: ListManifest, plate: str) -> list[Entry]:
        """Return the entries of a list for a plate or pattern, however written. Raises AnprError as `entries_of`."""
        try:
            return whole(self._values.with_plate(place, plate))
        except redis.RedisError as error:
            raise unavailable(error) from error

    def ended(self, entry_ids: Sequence[str]) -> list[EntryEnded]:
        """Return the tombstones that there are for these entries."""
        if not entry_ids:
            return []
        try:
            values = self._redis.hmget(ENDED, list(entry_ids))
        except redis.RedisError as error:
            raise unavailable(error) from error
        return [msgspec.json.decode(value, type=EntryEnded) for value in values if value is not None]

    def log(self, count: int) -> list[LoggedChange]:
        """Return the newest changes, the last one first."""
        try:
            values = self._redis.lrange(LOG, -count, -1)
        except redis.RedisError as error:
            raise unavailable(error) from error
        return [msgspec.json.decode(value, type=LoggedChange) for value in reversed(values)]

    def previous(self, list_name: str) -> list[PreviousState]:
        """Return what a list can be rolled back to, the oldest first."""
        try:
            value = self._redis.get(previous_key(list_name))
        except redis.RedisError as error:
            raise unavailable(error) from error
        return [] if value is None else msgspec.json.decode(value, type=list[PreviousState])


def previous_key(list_name: str) -> str:
    """Return the name of the value that says where a list was before."""
    return f"{PREFIX}previous:{list_name}"


def unavailable(error: Exception) -> UnavailableError:
    """Return the error that a person is to see for one of the client."""
    return UnavailableError(
        "redis-unavailable",
        f"the watchlist's Redis does not answer: {error}",
        "is it running, and is its URL right? `anpr doctor` tries every address",
    )


def whole(read: T | None) -> T:
    """Return what was read of the place that the head names. Raises AnprError when it is not whole."""
    if read is None:
        raise AnprError(
            "watchlist-not-whole",
            "the list in Redis is not whole: a part is missing or damaged, or was replaced just now; "
            "nothing was changed",
            "try again; if it stays so, restore Redis, or delete the keys anpr:watchlist:* and apply every list anew",
        )
    return read
