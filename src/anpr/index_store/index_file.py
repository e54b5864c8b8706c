"""An index as one run of bytes: what a file holds, so that processes map it instead of building it.

A base is in one such file; what has changed since is in another, with the rows of the base that are out of force.

    magic and version    16 bytes
    checksum             4 bytes, of what follows up to the end of the head
    length of the head   4 bytes
    head                 msgpack: generation, when applied, and of each section its name, type, shape, place, checksum
    sections             the arrays of the index, each at a multiple of 64 bytes, in the order of the head

Numbers are little-endian. Nothing is copied on opening: the arrays are views of the buffer, and an entry is decoded
only when it matches. The checksums are CRC-32: they are there against a torn or rotten file, not against a person who
can write it, who could as well write a new one. Checking reads the file once, at some 2 GB a second.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from zlib import crc32

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from anpr.contracts.events import Generation
from anpr.matching.encoding.entry_blobs import EntryBlobs
from anpr.matching.encoding.plate_codes import PlateCodes, no_confidences
from anpr.matching.index import Index
from anpr.matching.index_tables import IndexTables
from anpr.matching.lookup.hash_table import HashTable
from anpr.matching.lookup.patterns import PatternTable
from anpr.matching.lookup.plate_table import PlateTable

# Changed whenever the layout changes, or what the tables are made by: the folds, the hash, what counts as one edit.
MAGIC: Final = b"anpr-index-0004\n"
_ALIGNED_TO = 64
_ENCODED = "bodies.encoded"
_GONE = "gone"


class Section(Struct, frozen=True):
    """One array: `begin` is its place behind the head."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    checksum: int


class FileHeader(Struct, frozen=True):
    """What the file says of itself."""

    generation: Generation
    applied_at: datetime
    sections: list[Section]


class OpenedIndex(Struct, frozen=True):
    """An index out of a file, and when its generation was applied."""

    index: Index
    applied_at: datetime


class DamagedError(Exception):
    """The bytes are not a whole index of this version."""


def encode(index: Index, applied_at: datetime) -> Iterator[bytes | memoryview]:
    """Yield the bytes of the file, piece by piece. Raises ValueError for an index with changes: merge them first."""
    if index.is_removed is not None:
        raise ValueError("an index with changes is merged before it is written")
    return _encoded(index.generation, applied_at, _arrays_of(index.snapshot))


def encode_changes(index: Index, applied_at: datetime) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a small file: what turns the base of an index, which has a file of its own, into it."""
    of_delta = _arrays_of(index.delta) if index.delta else {}
    return _encoded(index.generation, applied_at, {_GONE: index.removed_rows.astype(np.int64), **of_delta})


def decode(buffer: memoryview, *, check_entries: bool = True) -> OpenedIndex:
    """Return the index whose arrays are views of the buffer.

    Everything is checked but, on request, the entries themselves, which are most of a file: for who maps a file that
    a process of this machine has just written whole. Raises DamagedError.
    """
    head, arrays = _decoded(buffer, check_entries=check_entries)
    if _GONE in arrays:
        raise DamagedError("it holds changes, and no base")
    return OpenedIndex(Index.from_snapshot(_tables_of(arrays), head.generation), head.applied_at)


def decode_changes(buffer: memoryview, base: Index) -> OpenedIndex:
    """Return the index that these changes make of the base that they were written for. Raises DamagedError."""
    head, arrays = _decoded(buffer, check_entries=True)
    if _GONE not in arrays:
        raise DamagedError("it holds no changes")
    gone = arrays.pop(_GONE).astype(np.intp)
    return OpenedIndex(
        base.with_delta(gone, _tables_of(arrays) if arrays else None, head.generation), head.applied_at
    )


def _encoded(
    generation: Generation, applied_at: datetime, arrays: dict[str, NDArray[Any]]
) -> Iterator[bytes | memoryview]:
    sections, at = [], 0
    for name, array in arrays.items():
        of_bytes = _bytes_of(array)
        sections.append(Section(name, array.dtype.str, array.shape, at, crc32(of_bytes)))
        at += _padded(len(of_bytes))
    head = msgspec.msgpack.encode(FileHeader(generation, applied_at, sections))
    of_head = len(head).to_bytes(4, "little") + head
    front = MAGIC + crc32(of_head).to_bytes(4, "little") + of_head
    yield front.ljust(_padded(len(front)), b"\0")
    for array in arrays.values():
        of_bytes = _bytes_of(array)
        yield of_bytes
        yield bytes(_padded(len(of_bytes)) - len(of_bytes))


def _decoded(buffer: memoryview, *, check_entries: bool) -> tuple[FileHeader, dict[str, NDArray[Any]]]:
    head, begin = _head_of(buffer)
    arrays: dict[str, NDArray[Any]] = {}
    for section in head.sections:
        dtype = np.dtype(section.dtype)
        size = dtype.itemsize * int(np.prod(section.shape))
        of_bytes = buffer[begin + section.begin : begin + section.begin + size]
        if len(of_bytes) != size or (
            (check_entries or section.name != _ENCODED) and crc32(of_bytes) != section.checksum
        ):
            raise DamagedError(f"the section {section.name!r} is damaged")
        arrays[section.name] = np.frombuffer(of_bytes, dtype).reshape(section.shape)
    return head, arrays


def _head_of(buffer: memoryview) -> tuple[FileHeader, int]:
    if bytes(buffer[: len(MAGIC)]) != MAGIC:
        raise DamagedError("not an index of this version")
    at = len(MAGIC) + 4
    end = at + 4 + int.from_bytes(buffer[at : at + 4], "little")
    if len(buffer) < end or crc32(buffer[at:end]) != int.from_bytes(buffer[at - 4 : at], "little"):
        raise DamagedError("its head is damaged")
    return msgspec.msgpack.decode(buffer[at + 4 : end], type=FileHeader), _padded(end)


def _padded(length: int) -> int:
    return -(-length // _ALIGNED_TO) * _ALIGNED_TO


def _bytes_of(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _arrays_of(tables: IndexTables) -> dict[str, NDArray[Any]]:
    plates, patterns, bodies = tables.plates, tables.patterns, tables.entry_blobs
    buckets = {"same": plates.by_key, "near": plates.by_deletion, "patterns": patterns.by_hash, "ids": bodies.ids}
    return {
        "codes": plates.plates.codes,
        "lengths": plates.plates.lengths,
        "countries": plates.plates.countries,
        "widest": plates.widest_tiers,
        "patterns.rows": patterns.entry_rows,
        "patterns.texts": patterns.texts,
        "patterns.ends": patterns.ends,
        "patterns.groups": patterns.groups,
        "patterns.fragments": patterns.fragment_lengths,
        **{f"{name}.heads": of_name.buckets for name, of_name in buckets.items()},
        **{f"{name}.postings": of_name.slots for name, of_name in buckets.items()},
        "bodies.ends": bodies.ends,
        _ENCODED: bodies.data,
    }


def _tables_of(arrays: dict[str, NDArray[Any]]) -> IndexTables:
    rows = len(arrays["lengths"])
    filed = {"same": rows, "near": rows, "patterns": len(arrays["patterns.rows"]), "ids": rows}
    buckets = {
        name: HashTable(arrays[f"{name}.heads"], arrays[f"{name}.postings"], HashTable.row_bits_for(of_name))
        for name, of_name in filed.items()
    }
    entries = PlateCodes(arrays["codes"], arrays["lengths"], arrays["countries"], no_confidences(rows))
    patterns = PatternTable(
        arrays["patterns.rows"],
        arrays["patterns.texts"],
        arrays["patterns.ends"],
        arrays["patterns.groups"],
        arrays["patterns.fragments"],
        buckets["patterns"],
    )
    return IndexTables(
        PlateTable(entries, arrays["widest"], buckets["same"], buckets["near"]),
        patterns,
        EntryBlobs(arrays[_ENCODED], arrays["bodies.ends"], buckets["ids"]),
    )
