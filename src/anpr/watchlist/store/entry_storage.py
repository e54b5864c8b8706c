"""The values in Redis that hold entries. None of them ever changes: the head names those that count.

- `chunk:<id>:<n>`: a few hundred entries of a base, in order of their ids.
- `index:<id>`: the first entry id and the digest of each chunk of that base, so that one entry among a million is
  found, and known to be whole, by reading one chunk.
- `plates:<id>`: for each chunk of that base, a number of 32 bits for each plate in it, so that the entries of one
  plate are found by reading few chunks.
- `delta:<generation>:<digest>`: a small change.

What is missing, or is not as its digest says, is None to the reader: then the head has moved on, and is read again.
"""

import hashlib
import uuid
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw, Struct
from numpy.typing import NDArray

from anpr.contracts.events import Entry, Generation
from anpr.contracts.plates import canonical_pattern
from anpr.matching.encoding.encoded_entry import EncodedEntry, Row, encoded_in, encoded_list
from anpr.matching.encoding.plate_codes import encode_plates, words_of
from anpr.matching.lookup.hash_table import hashed
from anpr.watchlist.changes import Changes
from anpr.watchlist.progress import Progress
from anpr.watchlist.store.manifest import DeltaRef, ListManifest, SnapshotRef

# So few that a thousand entries anywhere in a million are found by reading a fifth of it.
CHUNK_ENTRIES = 250
# What was written and never named by a head goes after this long; so does what no head names any more and nobody
# may roll back to, for readers who have just read the old head.
UNNAMED_VALUES_LAST = timedelta(hours=1)
# Chunks asked for at once: some megabytes, so that neither side holds a whole list twice.
_ASK_CHUNKS = 64

PREFIX = "anpr:watchlist:"


class _Chunk(Struct, frozen=True, array_like=True):
    first_id: str
    digest: bytes


class _Id(Struct, frozen=True):
    entry_id: str


class _Delta(Struct, frozen=True):
    """A small change, which may have taken older ones in: so it says which generation removed an entry."""

    put: list[Entry]
    removed: dict[str, Generation]


class _Bodies(Struct, frozen=True):
    put: list[Raw]
    removed: dict[str, Generation]


class _Rows(Struct, frozen=True):
    put: list[Row]


class _Revised(Struct, frozen=True):
    revision: Generation


class _Revisions(Struct, frozen=True):
    put: list[_Revised]
    removed: dict[str, Generation]


class _End(Struct, frozen=True):
    entry_id: str
    valid_until: datetime


class _Ends(Struct, frozen=True):
    put: list[_End]
    removed: dict[str, Generation]


_encode = msgspec.msgpack.Encoder().encode
_decode_entry = msgspec.msgpack.Decoder(Entry).decode
_decode_index = msgspec.msgpack.Decoder(list[_Chunk]).decode
_decode_plates = msgspec.msgpack.Decoder(list[bytes]).decode
_decode_chunk = msgspec.msgpack.Decoder(list[Entry]).decode
_decode_chunk_ids = msgspec.msgpack.Decoder(list[_Id]).decode
_decode_delta = msgspec.msgpack.Decoder(_Delta).decode
_decode_delta_bodies = msgspec.msgpack.Decoder(_Bodies).decode
_decode_delta_rows = msgspec.msgpack.Decoder(_Rows).decode
_decode_delta_revisions = msgspec.msgpack.Decoder(_Revisions).decode
_decode_chunk_ends = msgspec.msgpack.Decoder(list[_End]).decode
_decode_delta_ends = msgspec.msgpack.Decoder(_Ends).decode


def keys_of(place: ListManifest | None) -> set[str]:
    """Return the names of all values of a list."""
    if place is None:
        return set()
    chunks = (_chunk_key(place.base, number) for number in range(place.base.chunks))
    return {_index_key(place.base), _plates_key(place.base), *chunks, *map(delta_key, place.deltas)}


def delta_key(delta: DeltaRef) -> str:
    """Return the name of a delta's value."""
    return f"{PREFIX}delta:{delta.generation}:{delta.digest[:8]}"


def new_delta(changes: Changes, generation: Generation) -> tuple[DeltaRef, bytes]:
    """Return the place and the value of a delta."""
    value = _encode(_Delta(changes.put, dict.fromkeys(changes.removed, generation)))
    return DeltaRef(generation, changes.size, hashlib.sha256(value).hexdigest()), value


class EntryStorage:
    """Reads and writes them. Every method raises redis.RedisError."""

    def __init__(self, client: Any) -> None:
        """`client` is a redis.Redis that gives bytes."""
        self._redis = client

    def write_base(self, entries: Iterable[EncodedEntry], count: int, progress: Progress) -> SnapshotRef:
        """Write so many entries, in order of their ids, where no head points to yet."""
        place = SnapshotRef(uuid.uuid4().hex, -(-count // CHUNK_ENTRIES), count, "", "")
        rest, index, plates = iter(entries), list[_Chunk](), list[bytes]()
        for number in range(place.chunks):
            chunk = list(islice(rest, CHUNK_ENTRIES))
            value = encoded_list(chunk)
            index.append(_Chunk(chunk[0][0].entry_id, hashlib.sha256(value).digest()))
            plates.append(_plate_numbers([listed.plate for listed, _ in chunk]).tobytes())
            self._redis.set(_chunk_key(place, number), value, ex=UNNAMED_VALUES_LAST)
            progress(number * CHUNK_ENTRIES + len(chunk), count)
        return msgspec.structs.replace(
            place,
            digest=self._write(_index_key(place), _encode(index)),
            plates=self._write(_plates_key(place), _encode(plates)),
        )

    def _write(self, key: str, value: bytes) -> str:
        self._redis.set(key, value, ex=UNNAMED_VALUES_LAST)
        return hashlib.sha256(value).hexdigest()

    def base(self, place: SnapshotRef, progress: Progress) -> list[Entry] | None:
        """Return all entries of a base."""
        index = self._index(place)
        entries: list[Entry] = []
        for value in self._chunks(place, index, range(place.chunks)) if index is not None else ():
            if value is None:
                return None
            entries += _decode_chunk(value)
            progress(len(entries), place.entries)
        return None if index is None else entries

    def encoded(self, place: ListManifest) -> list[EncodedEntry] | None:
        """Return all entries of a list as they are kept."""
        index, said = self._index(place.base), self._said(place.deltas)
        if index is None or said is None:
            return None
        kept: list[EncodedEntry] = []
        for value in self._chunks(place.base, index, range(place.base.chunks)):
            if value is None:
                return None
            of_chunk = encoded_in(value)
            kept += [one for one in of_chunk if one[0].entry_id not in said] if said else of_chunk
        return kept + [one for one in said.values() if one is not None]

    def taken_together(self, places: Sequence[DeltaRef]) -> tuple[DeltaRef, bytes] | None:
        """Return one delta that does what these do one after the other, and its value.

        It names every id that any of them names, as `changes.merged` does.
        """
        values = self._delta_values(places)
        if values is None:
            return None
        said, removed_by = _said_in(values), dict[str, Generation]()
        for value in values:
            removed_by |= _decode_delta_bodies(value).removed
        put = [encoded[1] for encoded in said.values() if encoded is not None]
        removed = {entry_id: removed_by[entry_id] for entry_id in sorted(said) if said[entry_id] is None}
        value = _encode(_Bodies([Raw(body) for body in put], removed))
        return DeltaRef(places[-1].generation, len(said), hashlib.sha256(value).hexdigest()), value

    def deltas(self, places: Sequence[DeltaRef], since: Generation | None = None) -> list[Changes] | None:
        """Return the changes, in their order; where they took older ones in, only what is since a generation."""
        values = self._delta_values(places)
        return None if values is None else [_changes_since(since, _decode_delta(value)) for value in values]

    def have_trace_of(self, places: Sequence[DeltaRef], first: Generation, last: Generation) -> bool:
        """Tell whether any of these deltas, all whole, has a change of one of these generations."""
        values = self._delta_values(places)
        deltas = map(_decode_delta_revisions, values or ())
        by = (one for delta in deltas for one in (*delta.removed.values(), *(put.revision for put in delta.put)))
        return any(first <= generation <= last for generation in by)

    def entries(self, place: ListManifest, entry_ids: Collection[str]) -> dict[str, Entry] | None:
        """Return by id those of these entries that the list has."""
        said = self._said(place.deltas)
        if said is None:
            return None
        of_base = {entry_id for entry_id in entry_ids if entry_id not in said}
        values = self._chunks_with(place.base, of_base)
        if values is None:
            return None
        found = said | {one[0].entry_id: one for value in values for one in _of_chunk(value, of_base)}
        wanted = ((entry_id, found.get(entry_id)) for entry_id in entry_ids)
        return {entry_id: _decode_entry(one[1]) for entry_id, one in wanted if one is not None}

    def ids(self, place: ListManifest, entry_ids: Collection[str]) -> set[str] | None:
        """Return those of these ids that the list has: cheaper than the entries."""
        said, wanted = self._said(place.deltas), set(entry_ids)
        values = self._chunks_with(place.base, wanted)
        if said is None or values is None:
            return None
        in_base = {entry.entry_id for value in values for entry in _decode_chunk_ids(value)} - said.keys()
        return wanted & (in_base | {entry_id for entry_id, one in said.items() if one is not None})

    def with_plate(self, place: ListManifest, plate: str) -> list[Entry] | None:
        """Return the entries of a plate or pattern, however it is written."""
        numbers, index, said = (
            self._chunks_of_plate(place.base, plate),
            self._index(place.base),
            self._said(place.deltas),
        )
        if numbers is None or index is None or said is None:
            return None
        found = [one for one in said.values() if one is not None]
        for value in self._chunks(place.base, index, numbers):
            if value is None:
                return None
            found += [one for one in encoded_in(value) if one[0].entry_id not in said]
        key = canonical_pattern(plate)
        return [_decode_entry(body) for listed, body in found if canonical_pattern(listed.plate) == key]

    def ends(self, place: ListManifest) -> dict[str, datetime] | None:
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

    def _said(self, places: Sequence[DeltaRef]) -> dict[str, EncodedEntry | None] | None:
        """Return by id what the deltas make of each entry that they name: None where it has left."""
        values = self._delta_values(places)
        return None if values is None else _said_in(values)

    def _delta_values(self, places: Sequence[DeltaRef]) -> list[bytes] | None:
        values = self._redis.mget([delta_key(place) for place in places]) if places else []
        whole = all(
            value is not None and hashlib.sha256(value).hexdigest() == place.digest
            for value, place in zip(values, places, strict=True)
        )
        return values if whole else None

    def _chunks_with(self, place: SnapshotRef, entry_ids: Collection[str]) -> list[bytes] | None:
        """Return the chunks in which these entries are, if the base has them."""
        index = self._index(place)
        if index is None:
            return None
        firsts = [chunk.first_id for chunk in index]
        numbers = sorted({bisect_right(firsts, entry_id) - 1 for entry_id in entry_ids} - {-1})
        values = list(self._chunks(place, index, numbers))
        return None if None in values else [value for value in values if value is not None]

    def _chunks_of_plate(self, place: SnapshotRef, plate: str) -> list[int] | None:
        """Return which chunks may hold entries of a plate."""
        value = self._redis.get(_plates_key(place))
        if value is None or hashlib.sha256(value).hexdigest() != place.plates:
            return None
        (wanted,) = _plate_numbers([plate])
        return [n for n, of_chunk in enumerate(_decode_plates(value)) if wanted in np.frombuffer(of_chunk, np.uint32)]

    def _index(self, place: SnapshotRef) -> list[_Chunk] | None:
        value = self._redis.get(_index_key(place))
        is_whole = value is not None and hashlib.sha256(value).hexdigest() == place.digest
        return _decode_index(value) if is_whole else None

    def _chunks(self, place: SnapshotRef, index: Sequence[_Chunk], numbers: Sequence[int]) -> Iterator[bytes | None]:
        for start in range(0, len(numbers), _ASK_CHUNKS):
            asked = numbers[start : start + _ASK_CHUNKS]
            for number, value in zip(asked, self._redis.mget([_chunk_key(place, n) for n in asked]), strict=True):
                is_whole = value is not None and hashlib.sha256(value).digest() == index[number].digest
                yield value if is_whole else None


def _changes_since(since: Generation | None, delta: _Delta) -> Changes:
    if since is None:
        return Changes(delta.put, list(delta.removed))
    removed = [entry_id for entry_id, by in delta.removed.items() if by > since]
    return Changes([entry for entry in delta.put if entry.revision > since], removed)


def _said_in(deltas: Sequence[bytes]) -> dict[str, EncodedEntry | None]:
    said: dict[str, EncodedEntry | None] = {}
    for value in deltas:
        delta = _decode_delta_bodies(value)
        said.update(dict.fromkeys(delta.removed))
        rows = _decode_delta_rows(value).put
        said.update((row.entry_id, (row, body)) for row, body in zip(rows, delta.put, strict=True))
    return said


def _chunk_key(place: SnapshotRef, number: int) -> str:
    return f"{PREFIX}chunk:{place.id}:{number}"


def _of_chunk(value: bytes, wanted: Collection[str]) -> list[EncodedEntry]:
    return [one for one in encoded_in(value) if one[0].entry_id in wanted]


def _plate_numbers(plates: Sequence[str]) -> NDArray[np.uint32]:
    """Return a number for each plate or pattern, the same however it is written; few others have it."""
    return (hashed(*words_of(encode_plates(plates, [None] * len(plates)).codes).T) >> np.uint64(32)).astype(np.uint32)


def _index_key(place: SnapshotRef) -> str:
    return f"{PREFIX}index:{place.id}"


def _plates_key(place: SnapshotRef) -> str:
    return f"{PREFIX}plates:{place.id}"
