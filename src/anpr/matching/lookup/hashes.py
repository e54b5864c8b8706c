"""Hashes of plates. The functions take words as arrays or one by one, so kernels use them too."""

from typing import TypeVar

import numpy as np

from anpr.matching.encoding.plate_codes import Words

Word = TypeVar("Word", Words, np.uint64)

# Odd, with well mixed bits: the fractional parts of the golden ratio and of the square roots of 3 and 5.
_FIRST_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SECOND_FACTOR = np.uint64(0xBB67AE8584CAA73B)
_MIXING_FACTOR = np.uint64(0x3C6EF372FE94F82B)
_HALF = np.uint64(32)


def hash_words(first: Word, second: Word) -> Word:
    """Return the hash of a plate, given its two words."""
    mixed = first * _FIRST_FACTOR + second * _SECOND_FACTOR
    hashed: Word = (mixed ^ (mixed >> _HALF)) * _MIXING_FACTOR
    return hashed


def mix_bits(sums: Words) -> Words:
    """Return hashes of sums of words, each word multiplied by an odd factor of its own."""
    return (sums ^ (sums >> _HALF)) * _MIXING_FACTOR
