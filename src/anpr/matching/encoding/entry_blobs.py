"""The encoded entries of an index, one after the other in one array of bytes. Each is decoded only when it matches.

So a list of millions is one run of bytes that processes share. Mapping it from a file costs nothing for the entries
that nobody asks for.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import Entry
from anpr.matching.encoding.encoded_entry import EncodedEntry
from anpr.matching.encoding.plate_codes import Rows, Words

# Several cameras see a listed vehicle within minutes, so its entry is needed again soon.
_CACHED_ENTRIES = 4096

_CHECKSUM_BITS = np.uint64(32)
_ROW_MASK = np.uint64(0xFFFF_FFFF)

_decode = msgspec.msgpack.Decoder(Entry).decode


class EntryBlobs:
    """The entry of each row, and the row of each entry_id."""

    def __init__(self, data: NDArray[np.uint8], ends: NDArray[np.int64], ids: Words) -> None:
        """Take the blobs joined in `data`, the offset in `ends` where each blob ends, and the words of their ids.

        `ids` has in its order a word for each row: the id's CRC-32, and the row in the lower half.
        """
        self.data = data
        self.ends = ends
        self.ids = ids
        # Not a method: a method would make a reference cycle, which would keep a mapped file and its disk space long.
        self._decode_row = partial(_decode_row, data, ends)
        self.entry = lru_cache(_CACHED_ENTRIES)(self._decode_row)

    @classmethod
    def build(cls, entries: Iterable[EncodedEntry]) -> "EntryBlobs":
        """Store the entries in their order."""
        data = bytearray()
        ends: list[int] = []
        checksums: list[int] = []
        for entry, blob in entries:
            data += blob
            ends.append(len(data))
            checksums.append(crc32(entry.entry_id.encode()))
        ids = _id_words(np.array(checksums, np.uint64), np.arange(len(ends), dtype=np.uint64))
        return cls(np.frombuffer(data, np.uint8), np.array(ends, np.int64), ids)

    @classmethod
    def joined(cls, parts: Sequence[tuple["EntryBlobs", NDArray[np.bool_]]]) -> "EntryBlobs":
        """Store the entries of all parts whose flags are true, in their order. Nothing is decoded."""
        pieces, lengths, checksums, rows, first_row = [np.empty(0, np.uint8)], [], [], [], 0
        for blobs, is_kept in parts:
            begins = np.concatenate([np.zeros(1, np.int64), blobs.ends[:-1]])
            lengths.append((blobs.ends - begins)[is_kept])
            pieces += [blobs.data[begins[first] : blobs.ends[last]] for first, last in _runs(is_kept)]
            row_of = blobs.ids & _ROW_MASK
            kept_ids = is_kept[row_of.view(np.int64)]
            checksums.append((blobs.ids >> _CHECKSUM_BITS)[kept_ids])
            new_rows = np.cumsum(is_kept) - 1 + first_row
            rows.append(new_rows[row_of[kept_ids].view(np.int64)].view(np.uint64))
            first_row += len(lengths[-1])
        ids = _id_words(np.concatenate(checksums), np.concatenate(rows))
        return cls(np.concatenate(pieces), np.cumsum(np.concatenate(lengths)), ids)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.ends)

    def __iter__(self) -> Iterator[Entry]:
        """Decode all entries, in their order."""
        return map(self._decode_row, range(len(self)))

    def rows_of(self, entry_ids: Iterable[str]) -> Rows:
        """Return the rows of these ids. An id that is not here has none."""
        ids = list(entry_ids)
        checksums = np.fromiter((crc32(entry_id.encode()) for entry_id in ids), np.uint64, len(ids))
        begins = np.searchsorted(self.ids, checksums << _CHECKSUM_BITS)
        ends = np.searchsorted(self.ids, checksums << _CHECKSUM_BITS | _ROW_MASK, side="right")
        found: list[int] = []
        for position in np.flatnonzero(ends > begins).tolist():
            # Two ids may have the same checksum, so the ids are compared.
            rows = (self.ids[begins[position] : ends[position]] & _ROW_MASK).tolist()
            found += [row for row in rows if self._decode_row(row).entry_id == ids[position]]
        return np.array(found, np.intp)


def _decode_row(data: NDArray[np.uint8], ends: NDArray[np.int64], row: int) -> Entry:
    begin = int(ends[row - 1]) if row else 0
    return _decode(data[begin : int(ends[row])].data)


def _id_words(checksums: Words, rows: Words) -> Words:
    words = checksums << _CHECKSUM_BITS | rows
    words.sort()
    return words


def _runs(is_kept: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last row of each run of rows that are kept."""
    edges = np.flatnonzero(np.diff(is_kept, prepend=False, append=False))
    return zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
