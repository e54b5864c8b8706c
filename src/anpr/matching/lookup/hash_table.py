"""A hash table from 64-bit hashes to rows. It looks up a whole batch. Most absent keys cost one memory access.

Layout. The highest bits of a hash choose its bucket. Each bucket is one 64-bit word:

- the upper half is the number of the bucket's first slot;
- the lower half is a filter of 32 bits. The next five bits of each hash in the bucket mark one bit of the filter.

So a key that is not in the table is nearly always refused by the bucket word alone. A slot is 32 bits: a row, and as
many further bits of its hash as fit beside it.

A row that is found shares some 40 bits of the hash, not the key. The caller compares the keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import Words

Rows = NDArray[np.intp]

_FILTER_BITS = 5
_SLOT_BITS = 32
# Numbers as arrays: for a single read, making an array of a number takes longer than the step that needs it.
_NUMBERS = [np.array(number, np.uint64) for number in range(65)]
_ONE, _FIVE_BITS, _HALF = _NUMBERS[1], _NUMBERS[31], _NUMBERS[32]
_NEXT = np.array(1, np.intp)
# Odd, with well mixed bits: the fractional parts of the golden ratio and of the square roots of 3 and 5.
_FACTORS = [np.array(odd, np.uint64) for odd in (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B)]


def hash_words(first: Words, second: Words | None = None) -> Words:
    """Return a hash of each plate, given its two words; `second` is None where it is zero for all plates."""
    mixed: Words = first * _FACTORS[0]
    if second is not None:
        mixed += second * _FACTORS[1]
    return mix_bits(mixed)


def mix_bits(sums: Words) -> Words:
    """Return hashes of sums of words, each word multiplied by an odd factor of its own. Works in place."""
    sums ^= sums >> _HALF
    sums *= _FACTORS[2]
    return sums


@dataclass(frozen=True, slots=True)
class HashTable:
    """`buckets`: (2^k + 1,) words, the last for the end; `slots`: (m,) with the row in the lowest `row_bits` bits."""

    buckets: Words
    slots: NDArray[np.uint32]
    row_bits: int

    @staticmethod
    def row_bits_for(row_count: int) -> int:
        """Return how many bits of a slot a row takes."""
        return max(row_count - 1, 1).bit_length()

    @classmethod
    def build(
        cls, pieces: Iterable[tuple[Words, Rows]], row_count: int, total: int, extra_bucket_bits: int = 0
    ) -> "HashTable":
        """Store pairs of hash and row, given in pieces, `total` pairs in all; a pair that comes twice is stored once.

        Each extra bucket bit doubles the buckets and halves how often an absent key passes the filter.
        """
        row_bits = cls.row_bits_for(row_count)
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
        if count:
            is_new = np.empty(count, bool)
            is_new[0] = True
            np.not_equal(pairs[1:], pairs[:-1], out=is_new[1:])
            pairs = pairs[is_new]
        bucket_of = (pairs >> np.uint64(64 - bucket_bits)).view(np.int64)
        ends = np.cumsum(np.bincount(bucket_of, minlength=1 << bucket_bits))
        buckets = np.zeros((1 << bucket_bits) + 1, np.uint64)
        buckets[1:] = ends
        buckets <<= _HALF
        filter_bits = _ONE << ((pairs >> _NUMBERS[64 - bucket_bits - _FILTER_BITS]) & _FIVE_BITS)
        firsts = np.flatnonzero(np.diff(bucket_of, prepend=-1))
        if count:
            buckets[bucket_of[firsts]] |= np.bitwise_or.reduceat(filter_bits, firsts)
        slots = _hash_bits_of_slots(pairs, bucket_bits, row_bits)
        pairs &= row_mask
        slots |= pairs
        return cls(buckets, slots.astype(np.uint32), row_bits)

    def find(self, hashes: Words) -> tuple[Rows, Rows]:
        """Return pairs of an index into `hashes` and a row stored under that hash, or under nearly the same one."""
        bucket_bits = (len(self.buckets) - 1).bit_length() - 1
        bucket_of = (hashes >> _NUMBERS[64 - bucket_bits]).view(np.int64)
        words = self.buckets[bucket_of]
        filter_bits = hashes >> _NUMBERS[64 - bucket_bits - _FILTER_BITS]
        filter_bits &= _FIVE_BITS
        words >>= filter_bits
        words &= _ONE
        positions = words.astype(bool).nonzero()[0]
        if not len(positions):
            return positions, positions
        bucket_of = bucket_of[positions]
        begins = (self.buckets[bucket_of] >> _HALF).view(np.int64)
        bucket_of += _NEXT
        counts = (self.buckets[bucket_of] >> _HALF).view(np.int64)
        counts -= begins
        ends = np.add.accumulate(counts)
        begins += counts
        begins -= ends
        slot_numbers = np.arange(ends[-1])
        slot_numbers += begins.repeat(counts)
        positions = positions.repeat(counts)
        # XOR takes the hash's bits out of a slot. If they are the same bits, a row remains; else a larger number.
        rows = self.slots[slot_numbers]
        rows ^= _hash_bits_of_slots(hashes[positions], bucket_bits, self.row_bits).astype(np.uint32)
        is_same = (rows <= np.array((1 << self.row_bits) - 1, np.uint32)).nonzero()[0]
        return positions[is_same], rows[is_same].astype(np.intp)


def _hash_bits_of_slots(hashes: Words, bucket_bits: int, row_bits: int) -> Words:
    """Return the bits of each hash that a slot holds, already shifted above the row: those behind the filter's."""
    bits = hashes << _NUMBERS[bucket_bits + _FILTER_BITS]
    bits >>= _NUMBERS[64 - _SLOT_BITS + row_bits]
    bits <<= _NUMBERS[row_bits]
    return bits
