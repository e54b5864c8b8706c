"""The entries themselves, each encoded by itself and decoded only when it matches.

So a list of millions is one run of bytes that processes can share, and mapping it costs nothing for what is not
asked.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from zlib import crc32

import msgspec
import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import Entry
from anpr.matching.encoding.encoded_entry import EncodedEntry, encoded_as
from anpr.matching.encoding.plate_codes import Words
from anpr.matching.lookup.hash_table import HashTable, Rows

# A listed vehicle is seen by several cameras within minutes, so its entry is wanted again.
_DECODED_KEPT = 4096

_decode = msgspec.msgpack.Decoder(Entry).decode


class EntryBlobs:
    """Entry of each row, and row of each entry_id."""

    def __init__(self, encoded: NDArray[np.uint8], ends: NDArray[np.int64], ids: HashTable) -> None:
        """`encoded` holds the bodies one after the other; each ends where `ends` says; `ids` files their ids."""
        self.encoded = encoded
        self.ends = ends
        self.ids = ids
        # Not a method: the cycle that it would make would keep a mapped file, and its room on the disk, for long.
        self._entry = partial(_entry, encoded, ends)
        self.entry = lru_cache(_DECODED_KEPT)(self._entry)

    @classmethod
    def build(cls, entries: Iterable[EncodedEntry]) -> "EntryBlobs":
        """Keep the entries, in their order."""
        encoded = bytearray()
        ends: list[int] = []
        checksums: list[int] = []
        for entry, body in entries:
            encoded += body
            ends.append(len(encoded))
            checksums.append(crc32(entry.entry_id.encode()))
        hashes = _spread(np.array(checksums, np.uint64))
        ids = HashTable.build([(hashes, np.arange(len(ends)))], len(ends), len(ends))
        return cls(np.frombuffer(encoded, np.uint8), np.array(ends, np.int64), ids)

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.ends)

    def __iter__(self) -> Iterator[Entry]:
        """Decode all entries, in their order."""
        return map(self._entry, range(len(self)))

    def as_kept(self) -> Iterator[EncodedEntry]:
        """Return all entries as they are kept, in their order."""
        whole, begin = self.encoded.data, 0
        for end in self.ends.tolist():
            yield encoded_as(whole[begin:end])
            begin = end

    def rows_of(self, entry_ids: Iterable[str]) -> Rows:
        """Return the rows of those ids that there are."""
        wanted = list(entry_ids)
        hashes = np.fromiter((crc32(entry_id.encode()) for entry_id in wanted), np.uint64, len(wanted))
        which, rows = self.ids.find(_spread(hashes))
        pairs = zip(which.tolist(), rows.tolist(), strict=True)
        return np.array([row for at, row in pairs if self._entry(row).entry_id == wanted[at]], np.intp)


def _entry(encoded: NDArray[np.uint8], ends: NDArray[np.int64], row: int) -> Entry:
    begin = int(ends[row - 1]) if row else 0
    return _decode(encoded[begin : int(ends[row])].data)


def _spread(checksums: Words) -> Words:
    """Return hashes whose highest bits are those of the checksums, as the buckets want them."""
    return checksums << np.uint64(32)
