"""Plates one edit apart: one character inserted, deleted or substituted, or two neighbours swapped.

Two plates one edit apart become equal when one character is deleted from the longer, or one from each. So the list
holds each plate under itself and under every plate one deletion away, and a read is looked up under its own. Then
the pairs that meet are compared: plates further apart can meet too, for example where a character has moved further
than to its neighbour.

A word holds eight characters, so deleting one takes two masks and a shift.
"""

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import WIDTH, Codes, Lengths, Words, words_of
from anpr.matching.lookup.hash_table import Rows, hash_words

_BYTE, _TOP = np.array(8, np.uint64), np.array(56, np.uint64)
# For each word, a row for each deletion: which bytes move one position to the left. Row 0 deletes nothing.
_POSITIONS = np.arange(WIDTH)
_DELETED = np.concatenate([[WIDTH], _POSITIONS])[:, None]
_MOVED_BYTES = np.ascontiguousarray(words_of((_POSITIONS >= _DELETED) * np.uint8(255)).T)
# As arrays: for one pair, making an array of a number takes longer than the step that needs it.
_NONE, _THREE, _BUT_THE_LAST = (np.array(bits, np.int32) for bits in (0, 3, 0x7FFF))
_SAME_LENGTH, _ONE_LONGER, _ONE_SHORTER = (np.array(difference, np.uint8) for difference in (0, 1, 255))


def deletion_hashes(codes: Codes, rows: Rows, deletions: Rows, longest: int) -> Words:
    """Return (m,) hashes of pairs of a plate and a deletion: 0 for none, 1 for its first character, 2 for its second.

    No plate is longer than `longest`. A deletion behind a plate's end gives the plate itself.
    """
    words = words_of(codes)
    first, second = words[:, 0][rows], words[:, 1][rows] if longest > 8 else None
    shifted = first >> _BYTE
    if second is not None:
        shifted |= second << _TOP
        second = _with_moved_bytes(second, second >> _BYTE, _MOVED_BYTES[1][deletions])
    return hash_words(_with_moved_bytes(first, shifted, _MOVED_BYTES[0][deletions]), second)


def _with_moved_bytes(words: Words, shifted: Words, moved_bytes: Words) -> Words:
    """Return the words, with these bytes taken from the shifted words."""
    shifted ^= words
    shifted &= moved_bytes
    shifted ^= words
    return shifted


def one_edit_apart(left: Codes, right: Codes, left_lengths: Lengths, right_lengths: Lengths) -> NDArray[np.bool_]:
    """Return for each pair of rows whether exactly one edit makes them equal."""
    # The sixteen comparisons of a pair are the bits of one number, the first position in the lowest bit.
    differs = _bits((left != right).ravel())
    left_shifted = _shifted_differences(left, right)
    right_shifted = _shifted_differences(right, left)
    first = differs & -differs
    from_first_on = -first
    length_difference = left_lengths - right_lengths  # one shorter gives 255
    is_substituted = differs == first
    is_swapped = (differs == first * _THREE) & ((left_shifted | right_shifted) & first == _NONE)
    is_apart: NDArray[np.bool_] = (
        ((length_difference == _SAME_LENGTH) & (first != _NONE) & (is_substituted | is_swapped))
        | ((length_difference == _ONE_LONGER) & (left_shifted & from_first_on == _NONE))
        | ((length_difference == _ONE_SHORTER) & (right_shifted & from_first_on == _NONE))
    )
    return is_apart


def _shifted_differences(left: Codes, right: Codes) -> NDArray[np.int32]:
    """Compare each character of the left plate but the first with the position before it in the right plate."""
    differs = np.zeros(left.size, bool)
    np.not_equal(left.ravel()[1:], right.ravel()[:-1], out=differs[:-1])
    # The last position of a plate was compared with the first of the next plate.
    return _bits(differs) & _BUT_THE_LAST


def _bits(compared: NDArray[np.bool_]) -> NDArray[np.int32]:
    return np.packbits(compared, bitorder="little").view("<u2").astype(np.int32)
