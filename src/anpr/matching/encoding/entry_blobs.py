"""The encoded entries of an index, one after the other in one array of bytes. Each is decoded only when it matches.

So a list of millions is one run of bytes that processes share. Mapping it from a file costs nothing for the entries
that nobody asks for.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import Entry
from anpr.matching.encoding.encoded_entry import EncodedEntry, parse_encoded
from anpr.matching.encoding.plate_codes import Rows, Words
from anpr.matching.lookup.hash_table import HashTable

# Several cameras see a listed vehicle within minutes, so its entry is needed again soon.
_CACHED_ENTRIES = 4096

_decode = msgspec.msgpack.Decoder(Entry).decode


class EntryBlobs:
    """The entry of each row, and the row of each entry_id."""

    def __init__(self, data: NDArray[np.uint8], ends: NDArray[np.int64], ids: HashTable) -> None:
        """Take the blobs joined in `data`, the offset in `ends` where each blob ends, and the table of their ids."""
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
        hashes = _hashes(np.array(checksums, np.uint64))
        ids = HashTable.build([(hashes, np.arange(len(ends)))], len(ends), len(ends))
        return cls(np.frombuffer(data, np.uint8), np.array(ends, np.int64), ids)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.ends)

    def __iter__(self) -> Iterator[Entry]:
        """Decode all entries, in their order."""
        return map(self._decode_row, range(len(self)))

    def encoded_entries(self) -> Iterator[EncodedEntry]:
        """Return all entries in their encoded form, in their order."""
        data, begin = self.data.data, 0
        for end in self.ends.tolist():
            yield parse_encoded(data[begin:end])
            begin = end

    def rows_of(self, entry_ids: Iterable[str]) -> Rows:
        """Return the rows of these ids. An id that is not here has none."""
        ids = list(entry_ids)
        checksums = np.fromiter((crc32(entry_id.encode()) for entry_id in ids), np.uint64, len(ids))
        positions, rows = self.ids.find(_hashes(checksums))
        pairs = zip(positions.tolist(), rows.tolist(), strict=True)
        # The table may return a row whose id has nearly the same hash, so the ids are compared.
        return np.array([row for position, row in pairs if self._decode_row(row).entry_id == ids[position]], np.intp)


def _decode_row(data: NDArray[np.uint8], ends: NDArray[np.int64], row: int) -> Entry:
    begin = int(ends[row - 1]) if row else 0
    return _decode(data[begin : int(ends[row])].data)


def _hashes(checksums: Words) -> Words:
    """Return 64-bit hashes with the checksum in the highest bits, which choose the bucket."""
    return checksums << np.uint64(32)
