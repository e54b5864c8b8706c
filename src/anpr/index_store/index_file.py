"""The format of an index file, which processes map instead of building the index.

A snapshot is in one such file. A delta is in another, with the rows of all layers before it that have left the list.

    magic and version      16 bytes
    checksum               4 bytes, of the bytes that follow up to the end of the header
    length of the header   4 bytes
    header                 msgpack: generation, when applied, and of each section its name, type, shape, position,
                           checksum
    sections               the arrays of the index, each at a multiple of 64 bytes, in the order of the header

Numbers are little-endian. Nothing is copied on opening: the arrays are views of the buffer, and an entry is decoded
only when it matches. The checksums are CRC-32. They detect a torn or decayed file. They do not detect a person who
can write the file: that person could as well write a new one. Checking reads the file once, at some 2 GB a second.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from zlib import crc32

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from anpr.contracts.events import Generation
from anpr.matching.encoding.entry_blobs import EntryBlobs
from anpr.matching.encoding.plate_codes import PlateCodes, Rows, no_confidences
from anpr.matching.index import Index, Layer
from anpr.matching.index_tables import IndexTables
from anpr.matching.lookup.hash_table import HashTable
from anpr.matching.lookup.patterns import PatternTable
from anpr.matching.lookup.plate_table import PlateTable

# Changed whenever the layout changes, or the rules behind the tables: the folds, the hash, what counts as one edit.
MAGIC: Final = b"anpr-index-0006\n"
_ALIGNED_TO = 64
_ENCODED = "bodies.encoded"
_REMOVED_ROWS = "gone"


class Section(Struct, frozen=True):
    """One array: `begin` is its position behind the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    checksum: int


class FileHeader(Struct, frozen=True):
    """The header of a file."""

    generation: Generation
    applied_at: datetime
    sections: list[Section]


class OpenedIndex(Struct, frozen=True):
    """An index from a file, and when its generation was applied."""

    index: Index
    applied_at: datetime


class OpenedDelta(Struct, frozen=True):
    """A delta from a file, and for each layer before it the rows that have left the list at this generation."""

    generation: Generation
    tables: IndexTables
    removed_rows: tuple[Rows, ...]

    def index(self, before: Sequence[IndexTables], snapshot_generation: Generation) -> Index:
        """Return the index of the layers with these tables and this delta. Raises DamagedError."""
        if len(before) != len(self.removed_rows) or any(
            len(rows) and rows[-1] >= len(tables) for rows, tables in zip(self.removed_rows, before, strict=True)
        ):
            raise DamagedError("it is a delta of other layers")
        layers = map(Layer.of, (*before, self.tables), (*self.removed_rows, np.empty(0, np.intp)))
        return Index.of_layers(snapshot_generation, tuple(layers), self.generation)


class DamagedError(Exception):
    """The bytes are not a whole index of this version."""


def encode_snapshot(index: Index, applied_at: datetime) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a snapshot's file, piece by piece. Raises ValueError for an index with a delta."""
    if index.deltas:
        raise ValueError("an index with a delta must be compacted before it is written as a snapshot")
    return _encode(index.generation, applied_at, _arrays_of(index.snapshot))


def encode_delta(index: Index, applied_at: datetime) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a file for the newest delta of the index. The layers before it have files of their own."""
    *before, newest = index.layers
    removed_rows = {f"{_REMOVED_ROWS}.{at}": layer.removed_rows.astype(np.uint32) for at, layer in enumerate(before)}
    return _encode(index.generation, applied_at, removed_rows | _arrays_of(newest.tables))


def decode_snapshot(buffer: memoryview, *, check_entries: bool = True) -> OpenedIndex:
    """Return the index whose arrays are views of the buffer. Raises DamagedError.

    With `check_entries` false the entries themselves, which are most of a file, are not checked: for a file that a
    process of this machine has just written whole.
    """
    header, arrays = _decode(buffer, check_entries=check_entries)
    if _removed_rows(arrays):
        raise DamagedError("it holds a delta, not a snapshot")
    return OpenedIndex(Index.from_snapshot(_tables_of(arrays), header.generation), header.applied_at)


def decode_delta(buffer: memoryview) -> OpenedDelta:
    """Return the delta whose arrays are views of the buffer. Raises DamagedError."""
    header, arrays = _decode(buffer, check_entries=True)
    removed_rows = _removed_rows(arrays)
    if not removed_rows:
        raise DamagedError("it holds a snapshot, not a delta")
    return OpenedDelta(header.generation, _tables_of(arrays), removed_rows)


def _removed_rows(arrays: dict[str, NDArray[Any]]) -> tuple[Rows, ...]:
    count = sum(name.startswith(_REMOVED_ROWS) for name in arrays)
    return tuple(arrays[f"{_REMOVED_ROWS}.{at}"].astype(np.intp) for at in range(count))


def _encode(
    generation: Generation, applied_at: datetime, arrays: dict[str, NDArray[Any]]
) -> Iterator[bytes | memoryview]:
    sections, begin = [], 0
    for name, array in arrays.items():
        content = _bytes_of(array)
        sections.append(Section(name, array.dtype.str, array.shape, begin, crc32(content)))
        begin += _padded(len(content))
    header = msgspec.msgpack.encode(FileHeader(generation, applied_at, sections))
    checked = len(header).to_bytes(4, "little") + header
    front = MAGIC + crc32(checked).to_bytes(4, "little") + checked
    yield front.ljust(_padded(len(front)), b"\0")
    for array in arrays.values():
        content = _bytes_of(array)
        yield content
        yield bytes(_padded(len(content)) - len(content))


def _decode(buffer: memoryview, *, check_entries: bool) -> tuple[FileHeader, dict[str, NDArray[Any]]]:
    header, begin = _header_of(buffer)
    arrays: dict[str, NDArray[Any]] = {}
    for section in header.sections:
        dtype = np.dtype(section.dtype)
        size = dtype.itemsize * int(np.prod(section.shape))
        content = buffer[begin + section.begin : begin + section.begin + size]
        is_checked = check_entries or section.name != _ENCODED
        if len(content) != size or (is_checked and crc32(content) != section.checksum):
            raise DamagedError(f"the section {section.name!r} is damaged")
        arrays[section.name] = np.frombuffer(content, dtype).reshape(section.shape)
    return header, arrays


def _header_of(buffer: memoryview) -> tuple[FileHeader, int]:
    """Return the header, and where the sections begin."""
    if bytes(buffer[: len(MAGIC)]) != MAGIC:
        raise DamagedError("not an index of this version")
    begin = len(MAGIC) + 4
    end = begin + 4 + int.from_bytes(buffer[begin : begin + 4], "little")
    if len(buffer) < end or crc32(buffer[begin:end]) != int.from_bytes(buffer[begin - 4 : begin], "little"):
        raise DamagedError("its header is damaged")
    return msgspec.msgpack.decode(buffer[begin + 4 : end], type=FileHeader), _padded(end)


def _padded(length: int) -> int:
    return -(-length // _ALIGNED_TO) * _ALIGNED_TO


def _bytes_of(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _arrays_of(tables: IndexTables) -> dict[str, NDArray[Any]]:
    plates, patterns, blobs = tables.plates, tables.patterns, tables.entry_blobs
    hash_tables = {
        "same": plates.by_key,
        "near": plates.by_deletion,
        "patterns": patterns.by_anchors,
    }
    return {
        "codes": plates.plates.codes,
        "lengths": plates.plates.lengths,
        "countries": plates.plates.countries,
        "widest": plates.widest_tiers,
        "patterns.rows": patterns.entry_rows,
        "patterns.texts": patterns.texts,
        "patterns.ends": patterns.ends,
        "patterns.groups": patterns.groups,
        "patterns.fragments": patterns.with_fragments,
        **{f"{name}.heads": table.buckets for name, table in hash_tables.items()},
        **{f"{name}.postings": table.slots for name, table in hash_tables.items()},
        "ids": blobs.ids,
        "bodies.ends": blobs.ends,
        _ENCODED: blobs.data,
    }


def _tables_of(arrays: dict[str, NDArray[Any]]) -> IndexTables:
    rows = len(arrays["lengths"])
    sizes = {"same": rows, "near": rows, "patterns": len(arrays["patterns.rows"])}
    hash_tables = {
        name: HashTable.of(arrays[f"{name}.heads"], arrays[f"{name}.postings"], size) for name, size in sizes.items()
    }
    entries = PlateCodes(arrays["codes"], arrays["lengths"], arrays["countries"], no_confidences(rows))
    patterns = PatternTable(
        arrays["patterns.rows"],
        arrays["patterns.texts"],
        arrays["patterns.ends"],
        arrays["patterns.groups"],
        hash_tables["patterns"],
        arrays["patterns.fragments"],
    )
    return IndexTables(
        PlateTable(entries, arrays["widest"], hash_tables["same"], hash_tables["near"]),
        patterns,
        EntryBlobs(arrays[_ENCODED], arrays["bodies.ends"], arrays["ids"]),
    )
