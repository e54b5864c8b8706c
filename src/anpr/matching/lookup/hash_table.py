"""A table from 64-bit hashes to rows that answers a batch at once, and most absent keys with one memory access.

The highest bits of a hash choose its bucket. A bucket's head is one word: where its postings begin, and a filter of
32 bits in which the next bits of each hash that it holds are marked. So a hash that is not there is turned away,
nearly always, by the head alone. A posting is a row with as many further bits of the hash as fit beside it.

Rows that are found share some 40 bits of the hash, not the key: whoever asks compares the keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import Words

Rows = NDArray[np.intp]

_FILTER_BITS = 5
_POSTING_BITS = 32
# Numbers as arrays: for one read, making an array of a number takes longer than the step that needs it.
_NUMBERS = [np.array(number, np.uint64) for number in range(65)]
_ONE, _FIVE_BITS, _HALF = _NUMBERS[1], _NUMBERS[31], _NUMBERS[32]
_NEXT = np.array(1, np.intp)
# Odd, with their bits well mixed: the fractional parts of the golden ratio, and of the square roots of 3 and 5.
_FACTORS = [np.array(odd, np.uint64) for odd in (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B)]


def hashed(words: Words, more: Words | None = None) -> Words:
    """Return a hash of each plate, given its two words; `more` is None where the second is zero for all."""
    mixed: Words = words * _FACTORS[0]
    if more is not None:
        mixed += more * _FACTORS[1]
    return spread(mixed)


def spread(mixed: Words) -> Words:
    """Return hashes of sums of words, each multiplied by an odd number of its own; it works in place."""
    mixed ^= mixed >> _HALF
    mixed *= _FACTORS[2]
    return mixed


@dataclass(frozen=True, slots=True)
class HashTable:
    """`heads`: (2^k + 1,) words; `postings`: (m,) with the row in the lowest `row_bits`."""

    heads: Words
    postings: NDArray[np.uint32]
    row_bits: int

    @staticmethod
    def bits_of_rows(rows: int) -> int:
        """Return how many bits of a posting so many rows take."""
        return max(rows - 1, 1).bit_length()

    @classmethod
    def build(cls, hashes: Iterable[tuple[Words, Rows]], rows: int, total: int, more_bits: int = 0) -> "HashTable":
        """File pairs of hash and row, given in pieces, `total` in all; one that comes twice is filed once.

        Each of `more_bits` doubles the heads and halves how often an absent key looks as if it were there.
        """
        row_bits = cls.bits_of_rows(rows)
        bucket_bits = max(total // 2, 2).bit_length() + more_bits
        low = np.uint64((1 << row_bits) - 1)
        filed = np.empty(total, np.uint64)
        at = 0
        for of_piece, its_rows in hashes:
            piece = filed[at : at + len(of_piece)]
            np.bitwise_and(of_piece, ~low, out=piece)
            piece |= its_rows.view(np.uint64)
            at += len(of_piece)
        filed = filed[:at]
        filed.sort()
        if at:
            new = np.empty(at, bool)
            new[0] = True
            np.not_equal(filed[1:], filed[:-1], out=new[1:])
            filed = filed[new]
        buckets = (filed >> np.uint64(64 - bucket_bits)).view(np.int64)
        ends = np.cumsum(np.bincount(buckets, minlength=1 << bucket_bits))
        heads = np.zeros((1 << bucket_bits) + 1, np.uint64)
        heads[1:] = ends
        heads <<= _HALF
        marks = _ONE << ((filed >> _NUMBERS[64 - bucket_bits - _FILTER_BITS]) & _FIVE_BITS)
        firsts = np.flatnonzero(np.diff(buckets, prepend=-1))
        if at:
            heads[buckets[firsts]] |= np.bitwise_or.reduceat(marks, firsts)
        postings = _further(filed, bucket_bits, row_bits)
        filed &= low
        postings |= filed
        return cls(heads, postings.astype(np.uint32), row_bits)

    def find(self, hashes: Words) -> tuple[Rows, Rows]:
        """Return pairs of an index into `hashes` and a row that was filed under that hash, or nearly."""
        bucket_bits = (len(self.heads) - 1).bit_length() - 1
        buckets = (hashes >> _NUMBERS[64 - bucket_bits]).view(np.int64)
        heads = self.heads[buckets]
        marks = hashes >> _NUMBERS[64 - bucket_bits - _FILTER_BITS]
        marks &= _FIVE_BITS
        heads >>= marks
        heads &= _ONE
        which = heads.astype(bool).nonzero()[0]
        if not len(which):
            return which, which
        buckets = buckets[which]
        begins = (self.heads[buckets] >> _HALF).view(np.int64)
        buckets += _NEXT
        counts = (self.heads[buckets] >> _HALF).view(np.int64)
        counts -= begins
        ends = np.add.accumulate(counts)
        begins += counts
        begins -= ends
        places = np.arange(ends[-1])
        places += begins.repeat(counts)
        which = which.repeat(counts)
        # What is left of a posting without the hash's bits is a row, if they are its own; else it is more than any.
        rows = self.postings[places]
        rows ^= _further(hashes[which], bucket_bits, self.row_bits).astype(np.uint32)
        same = (rows <= np.array((1 << self.row_bits) - 1, np.uint32)).nonzero()[0]
        return which[same], rows[same].astype(np.intp)


def _further(hashes: Words, bucket_bits: int, row_bits: int) -> Words:
    """Return what is kept of hashes in postings, where it stands there: their bits behind the filter's."""
    further = hashes << _NUMBERS[bucket_bits + _FILTER_BITS]
    further >>= _NUMBERS[64 - _POSTING_BITS + row_bits]
    further <<= _NUMBERS[row_bits]
    return further
