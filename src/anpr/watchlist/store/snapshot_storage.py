"""The snapshots of lists in Redis. A value never changes after it is written.

A snapshot is written in chunks of a few hundred entries, in order of their ids. Two small values stand beside them:
the chunk index has the first entry id and the digest of each chunk, so one entry among a million is found, and is
known to be whole, by reading one chunk. The plate index has a number of 32 bits for each plate of each chunk, so the
entries of one plate are found by reading few chunks.

A reader gets None for a value that is missing or does not fit its digest. There is a newer manifest then, and the
reader reads that.
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
from msgspec import Struct
from numpy.typing import NDArray

from anpr.contracts.events import Entry
from anpr.contracts.local_days import LocalDays
from anpr.matching.encoding.encoded_entry import EncodedEntry, join_encoded, split_encoded
from anpr.matching.encoding.plate_codes import encode_plates, words_of
from anpr.matching.lookup.hashes import hash_words
from anpr.watchlist.progress import Progress
from anpr.watchlist.store.keys import chunk_index_key, chunk_key, plate_index_key
from anpr.watchlist.store.manifest import SnapshotRef
from anpr.watchlist.store.validity_end import ValidityEnd

# Entries in a chunk: so few that reading a thousand entries of a million reads only a fifth of the list.
CHUNK_ENTRIES = 250
# How long Redis keeps a value that no manifest names. It may never have been named, because its writer was killed. Or
# it was replaced: readers who have just read the old manifest still need it.
UNNAMED_VALUES_KEPT_FOR = timedelta(hours=1)
# Chunks read by one command: some megabytes, so that neither side holds a whole list twice.
_CHUNKS_AT_ONCE = 64


class _ChunkRef(Struct, frozen=True, array_like=True):
    first_id: str
    digest: bytes


class _EntryId(Struct, frozen=True):
    entry_id: str


_encode = msgspec.msgpack.Encoder().encode
_decode_chunk_index = msgspec.msgpack.Decoder(list[_ChunkRef]).decode
_decode_plate_index = msgspec.msgpack.Decoder(list[bytes]).decode
_decode_entries = msgspec.msgpack.Decoder(list[Entry]).decode
_decode_ids = msgspec.msgpack.Decoder(list[_EntryId]).decode
_decode_validity_ends = msgspec.msgpack.Decoder(list[ValidityEnd]).decode


class SnapshotStorage:
    """Reads and writes snapshots. Every method raises redis.RedisError."""

    def __init__(self, client: Any) -> None:
        """`client` is a redis.Redis that gives bytes."""
        self._redis = client

    def write(self, entries: Iterable[EncodedEntry], count: int, progress: Progress) -> SnapshotRef:
        """Write `count` entries, in order of their ids. No manifest names the snapshot yet."""
        snapshot = SnapshotRef(uuid.uuid4().hex, -(-count // CHUNK_ENTRIES), count, "", "")
        unwritten, chunk_index, plate_index = iter(entries), list[_ChunkRef](), list[bytes]()
        for number in range(snapshot.chunks):
            chunk = list(islice(unwritten, CHUNK_ENTRIES))
            value = join_encoded(chunk)
            chunk_index.append(_ChunkRef(chunk[0][0].entry_id, hashlib.sha256(value).digest()))
            plate_index.append(_plate_numbers([row.plate for row, _ in chunk]).tobytes())
            self._write(chunk_key(snapshot, number), value)
            progress(number * CHUNK_ENTRIES + len(chunk), count)
        return msgspec.structs.replace(
            snapshot,
            digest=self._write(chunk_index_key(snapshot), _encode(chunk_index)),
            plates_digest=self._write(plate_index_key(snapshot), _encode(plate_index)),
        )

    def _write(self, key: str, value: bytes) -> str:
        self._redis.set(key, value, ex=UNNAMED_VALUES_KEPT_FOR)
        return hashlib.sha256(value).hexdigest()

    def read(self, snapshot: SnapshotRef, progress: Progress) -> list[Entry] | None:
        """Return all entries."""
        entries: list[Entry] = []
        for chunk in self._chunks(snapshot):
            if chunk is None:
                return None
            entries += _decode_entries(chunk)
            progress(len(entries), snapshot.entries)
        return entries

    def encoded_entries(self, snapshot: SnapshotRef, without: Collection[str]) -> list[EncodedEntry] | None:
        """Return all entries as they are stored, but those with these ids."""
        entries: list[EncodedEntry] = []
        for chunk in self._chunks(snapshot):
            if chunk is None:
                return None
            of_chunk = split_encoded(chunk)
            entries += [entry for entry in of_chunk if entry[0].entry_id not in without] if without else of_chunk
        return entries

    def validity_ends(self, snapshot: SnapshotRef, days: LocalDays) -> dict[str, datetime] | None:
        """Return by entry id when each entry has ended at every site."""
        ends: dict[str, datetime] = {}
        for chunk in self._chunks(snapshot):
            if chunk is None:
                return None
            ends.update((entry.entry_id, days.latest_end(entry)) for entry in _decode_validity_ends(chunk))
        return ends

    def entries_with_ids(self, snapshot: SnapshotRef, entry_ids: Collection[str]) -> list[EncodedEntry] | None:
        """Return those of these entries that the snapshot has."""
        chunks = self._chunks_with_ids(snapshot, entry_ids)
        if chunks is None:
            return None
        return [entry for chunk in chunks for entry in split_encoded(chunk) if entry[0].entry_id in entry_ids]

    def ids_in_chunks_of(self, snapshot: SnapshotRef, entry_ids: Collection[str]) -> set[str] | None:
        """Return the ids in those chunks that may have these: of these ids, exactly those that the snapshot has."""
        chunks = self._chunks_with_ids(snapshot, entry_ids)
        if chunks is None:
            return None
        return {entry.entry_id for chunk in chunks for entry in _decode_ids(chunk)}

    def entries_near_plate(self, snapshot: SnapshotRef, plate: str) -> list[EncodedEntry] | None:
        """Return the entries of all chunks that may have a plate: every entry with that plate, and others."""
        value = self._redis.get(plate_index_key(snapshot))
        if value is None or hashlib.sha256(value).hexdigest() != snapshot.plates_digest:
            return None
        (plate_number,) = _plate_numbers([plate])
        plates_of_chunks = enumerate(_decode_plate_index(value))
        chunk_numbers = [
            chunk_number
            for chunk_number, plates in plates_of_chunks
            if plate_number in np.frombuffer(plates, np.uint32)
        ]
        entries: list[EncodedEntry] = []
        for chunk in self._chunks(snapshot, chunk_numbers):
            if chunk is None:
                return None
            entries += split_encoded(chunk)
        return entries

    def _chunks_with_ids(self, snapshot: SnapshotRef, entry_ids: Collection[str]) -> list[bytes] | None:
        """Return the chunks in which these entries are, if the snapshot has them."""
        chunk_index = self._chunk_index(snapshot)
        if chunk_index is None:
            return None
        first_ids = [chunk.first_id for chunk in chunk_index]
        numbers = sorted({bisect_right(first_ids, entry_id) - 1 for entry_id in entry_ids} - {-1})
        chunks = list(self._listed_chunks(snapshot, chunk_index, numbers))
        return None if None in chunks else [chunk for chunk in chunks if chunk is not None]

    def _chunks(self, snapshot: SnapshotRef, numbers: Sequence[int] | None = None) -> Iterator[bytes | None]:
        """Yield the chunks with these numbers, or all chunks."""
        chunk_index = self._chunk_index(snapshot)
        if chunk_index is None:
            yield None
        else:
            yield from self._listed_chunks(
                snapshot, chunk_index, range(snapshot.chunks) if numbers is None else numbers
            )

    def _listed_chunks(
        self, snapshot: SnapshotRef, chunk_index: Sequence[_ChunkRef], numbers: Sequence[int]
    ) -> Iterator[bytes | None]:
        for start in range(0, len(numbers), _CHUNKS_AT_ONCE):
            numbers_slice = numbers[start : start + _CHUNKS_AT_ONCE]
            values = self._redis.mget([chunk_key(snapshot, number) for number in numbers_slice])
            for number, value in zip(numbers_slice, values, strict=True):
                is_whole = value is not None and hashlib.sha256(value).digest() == chunk_index[number].digest
                yield value if is_whole else None

    def _chunk_index(self, snapshot: SnapshotRef) -> list[_ChunkRef] | None:
        value = self._redis.get(chunk_index_key(snapshot))
        is_whole = value is not None and hashlib.sha256(value).hexdigest() == snapshot.digest
        return _decode_chunk_index(value) if is_whole else None


def _plate_numbers(plates: Sequence[str]) -> NDArray[np.uint32]:
    """Return a number for each plate or pattern, the same however it is written; few others have it."""
    codes = encode_plates(plates, [None] * len(plates)).codes
    first, second = words_of(codes).T
    hashes: NDArray[np.uint64] = hash_words(first, second)
    return (hashes >> np.uint64(32)).astype(np.uint32)
