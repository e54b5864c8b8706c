"""A hash table from 64-bit hashes to rows. It looks up a whole batch. Most absent keys cost one memory access.

Layout. The highest bits of a hash choose its bucket. Each bucket is one 64-bit word:

- the upper half is the number of the bucket's first slot;
- the lower half is a filter of 32 bits. The next five bits of each hash in the bucket mark one bit of the filter.

So a key that is not in the table is nearly always refused by the bucket word alone. A slot is 32 bits: a row, and as
many further bits of its hash as fit beside it.

A row that is found shares some 40 bits of the hash, not the key. The caller compares the keys.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.columns import for_kernels
from anpr.matching.encoding.plate_codes import Rows, Words
from anpr.matching.kernels import as_int, kernel, step

_FILTER_BITS = 5
_SLOT_BITS = 32
_ONE, _FIVE_BITS, _HALF = np.uint64(1), np.uint64(31), np.uint64(32)


class HashTable(NamedTuple):
    """`buckets`: (2^k + 1,) words, the last for the end; `slots`: (m,) with the row in the lowest `row_bits` bits.

    `bucket_bits` is k.
    """

    buckets: Words
    slots: NDArray[np.uint32]
    bucket_bits: int
    row_bits: int

    @classmethod
    def of(cls, buckets: Words, slots: NDArray[np.uint32], row_count: int) -> "HashTable":
        """Return the table with these arrays, such as those of a file."""
        return for_kernels(cls(buckets, slots, (len(buckets) - 1).bit_length() - 1, _row_bits_for(row_count)))

    @classmethod
    def build(
        cls, pieces: Iterable[tuple[Words, Rows]], row_count: int, total: int, extra_bucket_bits: int = 0
    ) -> "HashTable":
        """Store pairs of hash and row, given in pieces, `total` pairs in all; a pair that comes twice is stored once.

        Each extra bucket bit doubles the buckets and halves how often an absent key passes the filter.
        """
        row_bits = _row_bits_for(row_count)
        bucket_bits = max(total // 2, 2).bit_length() + extra_bucket_bits
        row_mask = np.uint64((1 << row_bits) - 1)
        # Each pair as one number: the hash's upper bits, and the row in the lowest bits.
        pairs = np.empty(total, np.uint64)
        count = 0
        for hashes, rows in pieces:
            piece = pairs[count : count + len(hashes)]
            np.bitwise_and(hashes, ~row_mask, out=piece)
            piece |= rows.view(np.uint64)
            count += len(hashes)
        pairs = pairs[:count]
        pairs.sort()
        buckets, slots = np.empty((1 << bucket_bits) + 1, np.uint64), np.empty(count, np.uint32)
        stored = _store(pairs, bucket_bits, row_bits, buckets, slots)
        return cls.of(buckets, slots[:stored], row_count)

    def find(self, hashes: Words) -> tuple[Rows, Rows]:
        """Return pairs of an index into `hashes` and a row stored under that hash, or under nearly the same one."""
        keys = for_kernels(hashes)
        found = np.empty((len(keys) + 8, 2), np.intp)
        count = _find(self, keys, found)
        if count > len(found):
            found = np.empty((count, 2), np.intp)
            _find(self, keys, found)
        return found[:count, 0], found[:count, 1]


@step
def slots_of(table: HashTable, key: np.uint64) -> tuple[int, int]:
    """Return the first and the end of the slots where a hash may be; none where the filter refuses it."""
    bucket = as_int(key >> np.uint64(64 - table.bucket_bits))
    word = table.buckets[bucket]
    filter_bit = (key >> np.uint64(64 - table.bucket_bits - _FILTER_BITS)) & _FIVE_BITS
    if (word >> filter_bit) & _ONE == 0:
        return 0, 0
    return as_int(word >> _HALF), as_int(table.buckets[bucket + 1] >> _HALF)


@step
def row_in(table: HashTable, slot: int, key: np.uint64) -> int:
    """Return the row in a slot, -1 where another hash is stored there."""
    # XOR takes the hash's bits out of a slot. If they are the same bits, a row remains; else a larger number.
    row = as_int(np.uint64(table.slots[slot]) ^ _bits_of_slot(key, table.bucket_bits, table.row_bits))
    return row if row < 1 << table.row_bits else -1


@kernel
def _store(pairs: Words, bucket_bits: int, row_bits: int, buckets: Words, slots: NDArray[np.uint32]) -> int:
    """Write the buckets, and a slot for each pair, which are sorted; return how many slots there are."""
    row_mask = (_ONE << np.uint64(row_bits)) - _ONE
    count, next_bucket = 0, 0
    for number in range(len(pairs)):
        pair = pairs[number]
        if number > 0 and pair == pairs[number - 1]:
            continue
        bucket = as_int(pair >> np.uint64(64 - bucket_bits))
        while next_bucket <= bucket:
            buckets[next_bucket] = np.uint64(count) << _HALF
            next_bucket += 1
        buckets[bucket] |= _ONE << ((pair >> np.uint64(64 - bucket_bits - _FILTER_BITS)) & _FIVE_BITS)
        slots[count] = _bits_of_slot(pair, bucket_bits, row_bits) | (pair & row_mask)
        count += 1
    for bucket in range(next_bucket, len(buckets)):
        buckets[bucket] = np.uint64(count) << _HALF
    return count


@kernel
def _find(table: HashTable, hashes: Words, found: Rows) -> int:
    count = 0
    for position in range(len(hashes)):
        begin, end = slots_of(table, hashes[position])
        for slot in range(begin, end):
            row = row_in(table, slot, hashes[position])
            if row >= 0:
                if count < len(found):
                    found[count, 0], found[count, 1] = position, row
                count += 1
    return count


def _row_bits_for(row_count: int) -> int:
    return max(row_count - 1, 1).bit_length()


@step
def _bits_of_slot(key: np.uint64, bucket_bits: int, row_bits: int) -> np.uint64:
    """Return the bits of a hash that a slot holds, already shifted above the row: those behind the filter's."""
    bits = key << np.uint64(bucket_bits + _FILTER_BITS)
    bits = bits >> np.uint64(64 - _SLOT_BITS + row_bits)
    return bits << np.uint64(row_bits)
