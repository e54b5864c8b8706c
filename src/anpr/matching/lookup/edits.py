"""Plates one edit apart: an insertion, a deletion, a substitution or a swap of neighbours.

Theory of operation: two plates one edit apart become equal when one character is deleted from the longer, or one
from each. So the list files each plate under itself and under every plate that is one deletion away, a read looks
under its own, and the few that meet are compared. Meeting is necessary and not enough: taking different characters
out of each may also make them equal, when a character has moved further than to its neighbour.

With eight characters to a word, deleting one is two masks and a shift.
"""

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import WIDTH, Bytes, Words, words_of
from anpr.matching.lookup.hash_table import Rows, hashed

_BYTE, _TOP = np.array(8, np.uint64), np.array(56, np.uint64)
# For each of the two words, and each way to delete: what moves one place to the left. The first way deletes nothing.
_PLACES = np.arange(WIDTH)
_DELETED = np.concatenate([[WIDTH], _PLACES])[:, None]
_MOVES = np.ascontiguousarray(words_of((_PLACES >= _DELETED) * np.uint8(255)).T)
# As arrays: for one pair, making an array of a number takes longer than the step that needs it.
_NONE, _THREE, _BUT_THE_LAST = (np.array(bits, np.int32) for bits in (0, 3, 0x7FFF))
_ALIKE, _ONE_MORE, _ONE_LESS = (np.array(difference, np.uint8) for difference in (0, 1, 255))


def deletions(codes: Bytes, plates: Rows, ways: Rows, longest: int) -> Words:
    """Return (m,) hashes of pairs of a plate and a way: as it is (0), or without its first character (1), second, ...

    No plate is longer than the longest. A deletion behind a plate's end gives itself.
    """
    words = words_of(codes)
    first, second = words[:, 0][plates], words[:, 1][plates] if longest > 8 else None
    moved = first >> _BYTE
    if second is not None:
        moved |= second << _TOP
        second = _mixed(second, second >> _BYTE, _MOVES[1][ways])
    return hashed(_mixed(first, moved, _MOVES[0][ways]), second)


def _mixed(words: Words, moved: Words, moves: Words) -> Words:
    """Return the words with those bits of the moved ones that move."""
    moved ^= words
    moved &= moves
    moved ^= words
    return moved


def one_edit_apart(some: Bytes, others: Bytes, lengths: Bytes, other_lengths: Bytes) -> NDArray[np.bool_]:
    """Tell for each pair of rows whether exactly one edit makes them equal."""
    # Sixteen comparisons of a pair are the bits of one number, the first place in the lowest.
    differ = _bits((some != others).ravel())
    here_later = _later(some, others)
    there_later = _later(others, some)
    first = differ & -differ
    from_first = -first
    longer = lengths - other_lengths  # one less is 255
    substituted = differ == first
    swapped = (differ == first * _THREE) & ((here_later | there_later) & first == _NONE)
    apart: NDArray[np.bool_] = (
        ((longer == _ALIKE) & (first != _NONE) & (substituted | swapped))
        | ((longer == _ONE_MORE) & (here_later & from_first == _NONE))
        | ((longer == _ONE_LESS) & (there_later & from_first == _NONE))
    )
    return apart


def _later(some: Bytes, others: Bytes) -> NDArray[np.int32]:
    """Compare each character but the first of the one with the place before it in the other."""
    differ = np.zeros(some.size, bool)
    np.not_equal(some.ravel()[1:], others.ravel()[:-1], out=differ[:-1])
    # The last place of a plate stands before the first of the next.
    return _bits(differ) & _BUT_THE_LAST


def _bits(compared: NDArray[np.bool_]) -> NDArray[np.int32]:
    return np.packbits(compared, bitorder="little").view("<u2").astype(np.int32)
