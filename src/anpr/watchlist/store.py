"""The watchlist's home in Redis: every change is a new generation, put in force all at once.

What is stored, under `anpr:watchlist:`

- `head`: which generation is in force, when it was applied, and for each list where its entries are. Changing this
  one value is what puts a generation in force, so nobody ever sees half of one.
- `chunk:<id>:<n>`: the entries, a thousand to a value, written before the head names them. A chunk never changes;
  those that the head no longer names stay for an hour, for readers who have just read the old head.
- `ended`: by entry_id, which revision ended it, when and why. A tombstone stays as long as the alerts topics keep
  alerts; `ended_at` orders them by age.

A generation is (epoch, number). The number counts changes; the epoch is renewed when Redis has another replication
id than at the last change, which it has after every fail-over. So a home that lost the newest changes in a
fail-over can't give their generation out again.
"""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import redis
from msgspec import Struct
from redis.backoff import NoBackoff
from redis.retry import Retry

from anpr.errors import AnprError, InputError, UnavailableError
from anpr.events import Entry, EntryEnded, Generation
from anpr.watchlist.csv_file import UNAPPLIED

CHUNK_ENTRIES = 1000
_OLD_CHUNKS_LAST = timedelta(hours=1)
_PREFIX = "anpr:watchlist:"
_HEAD, _ENDED, _ENDED_AT = _PREFIX + "head", _PREFIX + "ended", _PREFIX + "ended_at"

_encode = msgspec.msgpack.Encoder().encode
_decode_chunk = msgspec.msgpack.Decoder(list[Entry]).decode


class ListPlace(Struct, frozen=True):
    """Where the entries of one list are: `chunks` values named after `id`, with a digest over all of them."""

    id: str
    chunks: int
    entries: int
    digest: str


class Head(Struct, frozen=True):
    """The generation in force."""

    generation: Generation
    applied_at: datetime
    replication_id: str
    lists: dict[str, ListPlace]


class Applied(Struct, frozen=True):
    """What applying a list changed."""

    generation: Generation
    list: str
    entries: int
    added: int
    changed: int
    removed: int


def connect(url: str) -> redis.Redis:
    """Return a client that answers or fails at once: the caller goes on with what it has, and tries again."""
    try:
        return redis.Redis.from_url(
            url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0), client_name="anpr"
        )
    except ValueError as error:
        raise InputError(
            "redis-address", f"the address of Redis is not usable: {error}", "it looks like redis://host:6379/0"
        ) from None


class WatchlistStore:
    """Reads and writes the list. Every method raises UnavailableError while Redis does not answer."""

    def __init__(self, client: redis.Redis, keep_ended: timedelta) -> None:
        """`keep_ended` is how long a tombstone must stay: as long as the alerts topics keep alerts."""
        # Its annotations cover other protocols and text answers too; this one gives bytes.
        self._redis: Any = client
        self._keep_ended = keep_ended

    def head(self) -> Head | None:
        """Return what is in force, or None when Redis holds no list at all."""
        try:
            value = self._redis.get(_HEAD)
        except redis.RedisError as error:
            raise _unavailable(error) from error
        return None if value is None else msgspec.json.decode(value, type=Head)

    def load(self, head: Head) -> list[Entry] | None:
        """Return all entries of a generation, or None when it is not whole any more: then read the head again."""
        entries: list[Entry] = []
        for place in head.lists.values():
            of_list = self._load_list(place)
            if of_list is None:
                return None
            entries += of_list
        return entries

    def ended(self, entry_ids: Sequence[str]) -> list[EntryEnded]:
        """Return the tombstones that there are for these entries."""
        if not entry_ids:
            return []
        try:
            values = self._redis.hmget(_ENDED, list(entry_ids))
        except redis.RedisError as error:
            raise _unavailable(error) from error
        return [msgspec.json.decode(value, type=EntryEnded) for value in values if value is not None]

    def apply(self, list_name: str, entries: Sequence[Entry], why: str, now: datetime) -> Applied:
        """Put `entries` in force as the whole of the list `list_name`.

        An entry that says what it said before keeps its revision. Raises AnprError, with nothing changed, when
        somebody else changes the watchlist at the same time.
        """
        try:
            return self._apply(list_name, entries, why, now)
        except redis.WatchError:
            raise AnprError(
                "watchlist-changed-meanwhile",
                "somebody else changed the watchlist at the same time; nothing was changed",
                "apply it again",
            ) from None
        except redis.RedisError as error:
            raise _unavailable(error) from error

    def _apply(self, list_name: str, entries: Sequence[Entry], why: str, now: datetime) -> Applied:
        with self._redis.pipeline() as pipe:
            pipe.watch(_HEAD)
            head = self.head()
            replication_id = str(self._redis.info("replication")["master_replid"])
            generation = _next_generation(head, replication_id, now)
            place = head.lists.get(list_name) if head else None
            before = {entry.entry_id: entry for entry in (place and self._load_list(place)) or ()}
            self._refuse_shared_ids(head, list_name, {entry.entry_id for entry in entries})
            after = [_revised(entry, before.get(entry.entry_id), generation) for entry in entries]
            removed = sorted(before.keys() - {entry.entry_id for entry in after})
            new_place = self._write(after)
            lists = {**(head.lists if head else {}), list_name: new_place}
            pipe.multi()
            pipe.set(_HEAD, msgspec.json.encode(Head(generation, now, replication_id, lists)))
            self._bury(pipe, removed, generation, why, now)
            for key in _chunks_of(place) if place else ():
                pipe.expire(key, _OLD_CHUNKS_LAST)
            for key in _chunks_of(new_place):
                pipe.persist(key)
            pipe.execute()
        return Applied(
            generation=generation,
            list=list_name,
            entries=len(after),
            added=sum(entry.entry_id not in before for entry in after),
            changed=sum(entry.entry_id in before and entry.revision == generation for entry in after),
            removed=len(removed),
        )

    def _refuse_shared_ids(self, head: Head | None, list_name: str, entry_ids: set[str]) -> None:
        """Raise InputError when another list has one of these ids: their alerts would be taken for one another's."""
        for other, place in head.lists.items() if head else ():
            if other == list_name:
                continue
            shared = sorted(entry_ids.intersection(entry.entry_id for entry in self._load_list(place) or ()))
            if shared:
                raise InputError(
                    "watchlist-shared-ids",
                    f"{len(shared)} entry ids of {list_name!r}, {shared[0]!r} among them, are in the list {other!r}; "
                    "nothing was changed",
                    "an id belongs to one entry of one list: change the ids, or leave the column out",
                )

    def _write(self, entries: Sequence[Entry]) -> ListPlace:
        """Write the entries where no head points to yet. Chunks that no head comes to name go after an hour."""
        values = [_encode(entries[start : start + CHUNK_ENTRIES]) for start in range(0, len(entries), CHUNK_ENTRIES)]
        digest = hashlib.sha256(b"".join(values)).hexdigest()
        place = ListPlace(uuid.uuid4().hex, len(values), len(entries), digest)
        for key, value in zip(_chunks_of(place), values, strict=True):
            self._redis.set(key, value, ex=_OLD_CHUNKS_LAST)
        return place

    def _load_list(self, place: ListPlace) -> list[Entry] | None:
        digest = hashlib.sha256()
        entries: list[Entry] = []
        try:
            for key in _chunks_of(place):
                value = self._redis.get(key)
                if value is None:
                    return None
                digest.update(value)
                entries += _decode_chunk(value)
        except redis.RedisError as error:
            raise _unavailable(error) from error
        return entries if digest.hexdigest() == place.digest else None

    def _bury(self, pipe: Any, entry_ids: Iterable[str], generation: Generation, why: str, now: datetime) -> None:
        for entry_id in entry_ids:
            ended = EntryEnded(entry_id=entry_id, revision=generation, ended_at=now, why=why)
            pipe.hset(_ENDED, entry_id, msgspec.json.encode(ended))
            pipe.zadd(_ENDED_AT, {entry_id: now.timestamp()})
        old = self._redis.zrangebyscore(_ENDED_AT, "-inf", (now - self._keep_ended).timestamp())
        if old:
            pipe.hdel(_ENDED, *old)
            pipe.zrem(_ENDED_AT, *old)


def _next_generation(head: Head | None, replication_id: str, now: datetime) -> Generation:
    if head is not None and head.replication_id == replication_id:
        return Generation(epoch=head.generation.epoch, number=head.generation.number + 1)
    epoch = round(now.timestamp() * 1000)
    return Generation(epoch=max(epoch, head.generation.epoch + 1) if head else epoch, number=1)


def _revised(entry: Entry, before: Entry | None, generation: Generation) -> Entry:
    unchanged = before is not None and entry == msgspec.structs.replace(before, revision=UNAPPLIED)
    revision = before.revision if before is not None and unchanged else generation
    return msgspec.structs.replace(entry, revision=revision)


def _chunks_of(place: ListPlace) -> list[str]:
    return [f"{_PREFIX}chunk:{place.id}:{number}" for number in range(place.chunks)]


def _unavailable(error: Exception) -> UnavailableError:
    return UnavailableError(
        "redis-unavailable",
        f"the watchlist's Redis does not answer: {error}",
        "is it running, and is its URL right? `anpr doctor` tries every address",
    )
