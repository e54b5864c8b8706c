"""The values in Redis that hold entries. None of them ever changes: the head names those that count.

- `chunk:<id>:<n>`: a thousand entries of a base, in order of their ids.
- `index:<id>`: the first entry id and the digest of each chunk of that base, so that one entry among a million is
  found, and known to be whole, by reading one chunk.
- `delta:<generation>`: a small change.

What is missing, or is not as its digest says, is None to the reader: then the head has moved on, and is read again.
"""

import hashlib
import uuid
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from anpr.events import Entry
from anpr.matching.listed import Encoded, encoded, encoded_in
from anpr.watchlist.changes import Changes, merged
from anpr.watchlist.places import BasePlace, DeltaPlace, ListPlace
from anpr.watchlist.progress import Progress

CHUNK_ENTRIES = 1000
# What was written and never named by a head goes after this long; so does what no head names any more and nobody
# may roll back to, for readers who have just read the old head.
UNNAMED_VALUES_LAST = timedelta(hours=1)
# Chunks asked for at once: some megabytes, so that neither side holds a whole list twice.
_ASK_CHUNKS = 16

PREFIX = "anpr:watchlist:"


class _Chunk(Struct, frozen=True, array_like=True):
    first_id: str
    digest: bytes


class _Id(Struct, frozen=True):
    entry_id: str


class _Ids(Struct, frozen=True):
    put: list[_Id]
    removed: list[str]


class _End(Struct, frozen=True):
    entry_id: str
    valid_until: datetime


class _Ends(Struct, frozen=True):
    put: list[_End]
    removed: list[str]


_encode = msgspec.msgpack.Encoder().encode
_decode_index = msgspec.msgpack.Decoder(list[_Chunk]).decode
_decode_chunk = msgspec.msgpack.Decoder(list[Entry]).decode
_decode_chunk_ids = msgspec.msgpack.Decoder(list[_Id]).decode
_decode_delta = msgspec.msgpack.Decoder(Changes).decode
_decode_chunk_ends = msgspec.msgpack.Decoder(list[_End]).decode
_decode_delta_ends = msgspec.msgpack.Decoder(_Ends).decode
_decode_delta_ids = msgspec.msgpack.Decoder(_Ids).decode


def keys_of(place: ListPlace | None) -> set[str]:
    """Return the names of all values of a list."""
    if place is None:
        return set()
    chunks = (_chunk_key(place.base, number) for number in range(place.base.chunks))
    return {_index_key(place.base), *chunks, *map(delta_key, place.deltas)}


def delta_key(delta: DeltaPlace) -> str:
    """Return the name of a delta's value."""
    return f"{PREFIX}delta:{delta.generation}"


def encode_delta(changes: Changes) -> tuple[bytes, str]:
    """Return the value of a delta and its digest."""
    value = _encode(changes)
    return value, hashlib.sha256(value).hexdigest()


class Values:
    """Reads and writes them. Every method raises redis.RedisError."""

    def __init__(self, client: Any) -> None:
        """`client` is a redis.Redis that gives bytes."""
        self._redis = client

    def write_base(self, entries: Sequence[Entry], progress: Progress) -> BasePlace:
        """Write the entries, in order of their ids, where no head points to yet."""
        count = -(-len(entries) // CHUNK_ENTRIES)
        place = BasePlace(uuid.uuid4().hex, count, len(entries), "")
        index: list[_Chunk] = []
        for number, start in enumerate(range(0, len(entries), CHUNK_ENTRIES)):
            chunk = entries[start : start + CHUNK_ENTRIES]
            value = _encode(chunk)
            index.append(_Chunk(chunk[0].entry_id, hashlib.sha256(value).digest()))
            self._redis.set(_chunk_key(place, number), value, ex=UNNAMED_VALUES_LAST)
            progress(start + len(chunk), len(entries))
        value = _encode(index)
        self._redis.set(_index_key(place), value, ex=UNNAMED_VALUES_LAST)
        return msgspec.structs.replace(place, digest=hashlib.sha256(value).hexdigest())

    def base(self, place: BasePlace, progress: Progress) -> list[Entry] | None:
        """Return all entries of a base."""
        index = self._index(place)
        entries: list[Entry] = []
        for value in self._chunks(place, index, range(place.chunks)) if index is not None else ():
            if value is None:
                return None
            entries += _decode_chunk(value)
            progress(len(entries), place.entries)
        return None if index is None else entries

    def encoded(self, place: ListPlace) -> list[Encoded] | None:
        """Return all entries of a list as they are kept."""
        index, deltas = self._index(place.base), self.deltas(place.deltas)
        if index is None or deltas is None:
            return None
        changes = merged(deltas)
        gone = {*changes.removed, *(entry.entry_id for entry in changes.put)}
        kept: list[Encoded] = []
        for value in self._chunks(place.base, index, range(place.base.chunks)):
            if value is None:
                return None
            of_chunk = encoded_in(value)
            kept += [one for one in of_chunk if one[0].entry_id not in gone] if gone else of_chunk
        return [*kept, *encoded(changes.put)]

    def deltas(self, places: Sequence[DeltaPlace]) -> list[Changes] | None:
        """Return the changes, in their order."""
        values = self._delta_values(places)
        return None if values is None else [_decode_delta(value) for value in values]

    def entries(self, place: ListPlace, entry_ids: Collection[str]) -> dict[str, Entry] | None:
        """Return by id those of these entries that the list has."""
        deltas = self.deltas(place.deltas)
        values = self._chunks_with(place.base, entry_ids)
        if deltas is None or values is None:
            return None
        found = {entry.entry_id: entry for value in values for entry in _decode_chunk(value)}
        changes = merged(deltas)
        for entry_id in changes.removed:
            found.pop(entry_id, None)
        found.update((entry.entry_id, entry) for entry in changes.put)
        return {entry_id: found[entry_id] for entry_id in entry_ids if entry_id in found}

    def ids(self, place: ListPlace, entry_ids: Collection[str]) -> set[str] | None:
        """Return those of these ids that the list has: cheaper than the entries."""
        deltas = self._delta_values(place.deltas)
        values = self._chunks_with(place.base, entry_ids)
        if deltas is None or values is None:
            return None
        found = {entry.entry_id for value in values for entry in _decode_chunk_ids(value)}
        for delta in map(_decode_delta_ids, deltas):
            found.difference_update(delta.removed)
            found.update(entry.entry_id for entry in delta.put)
        return found.intersection(entry_ids)

    def ends(self, place: ListPlace) -> dict[str, datetime] | None:
        """Return by entry id when each entry of the list ends: far smaller than the entries."""
        index = self._index(place.base)
        deltas = self._delta_values(place.deltas)
        if index is None or deltas is None:
            return None
        ends: dict[str, datetime] = {}
        for value in self._chunks(place.base, index, range(place.base.chunks)):
            if value is None:
                return None
            ends.update((one.entry_id, one.valid_until) for one in _decode_chunk_ends(value))
        for delta in map(_decode_delta_ends, deltas):
            for entry_id in delta.removed:
                ends.pop(entry_id, None)
            ends.update((one.entry_id, one.valid_until) for one in delta.put)
        return ends

    def _delta_values(self, places: Sequence[DeltaPlace]) -> list[bytes] | None:
        values = self._redis.mget([delta_key(place) for place in places]) if places else []
        whole = all(
            value is not None and hashlib.sha256(value).hexdigest() == place.digest
            for value, place in zip(values, places, strict=True)
        )
        return values if whole else None

    def _chunks_with(self, place: BasePlace, entry_ids: Collection[str]) -> list[bytes] | None:
        """Return the chunks in which these entries are, if the base has them."""
        index = self._index(place)
        if index is None:
            return None
        firsts = [chunk.first_id for chunk in index]
        numbers = sorted({bisect_right(firsts, entry_id) - 1 for entry_id in entry_ids} - {-1})
        values = list(self._chunks(place, index, numbers))
        return None if None in values else [value for value in values if value is not None]

    def _index(self, place: BasePlace) -> list[_Chunk] | None:
        value = self._redis.get(_index_key(place))
        is_whole = value is not None and hashlib.sha256(value).hexdigest() == place.digest
        return _decode_index(value) if is_whole else None

    def _chunks(self, place: BasePlace, index: Sequence[_Chunk], numbers: Sequence[int]) -> Iterator[bytes | None]:
        for start in range(0, len(numbers), _ASK_CHUNKS):
            asked = numbers[start : start + _ASK_CHUNKS]
            for number, value in zip(asked, self._redis.mget([_chunk_key(place, n) for n in asked]), strict=True):
                is_whole = value is not None and hashlib.sha256(value).digest() == index[number].digest
                yield value if is_whole else None


def _chunk_key(place: BasePlace, number: int) -> str:
    return f"{PREFIX}chunk:{place.id}:{number}"


def _index_key(place: BasePlace) -> str:
    return f"{PREFIX}index:{place.id}"
