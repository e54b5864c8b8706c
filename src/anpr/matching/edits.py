"""Plates one edit apart: an insertion, a deletion, a substitution or a swap of neighbours.

Theory of operation: two plates one edit apart become equal when one character is deleted from the longer, or one
from each. So the list files each plate under itself and under every plate that is one deletion away, a read looks
under its own, and the few that meet are compared. Meeting is necessary and not enough: taking different characters
out of each may also make them equal, when a character has moved further than to its neighbour.

With eight characters to a word, deleting one is two masks and a shift.
"""

import numpy as np
from numpy.typing import NDArray

from anpr.matching.buckets import hashed
from anpr.matching.packed import Bytes, Words, words_of

_BYTE = np.uint64(8)
_TOP = np.uint64(56)
# For each place in a word: the characters before it. Those from it on move one place to the left.
_BEFORE = np.array([[(1 << 8 * place) - 1] for place in range(8)], np.uint64)
_FROM = ~_BEFORE
_BUT_THE_LAST = np.int32(0x7FFF)


def neighbourhood(codes: Bytes, longest: int) -> Words:
    """Return (1 + longest, n) hashes of each plate, and of it with its 1st, 2nd, ... character deleted.

    Of a plate that is shorter than the longest, deletions behind its end give itself.
    """
    words = words_of(codes)
    first = words[:, 0]
    here = min(longest, 8)
    left = np.empty((1 + longest, len(codes)), np.uint64)
    second = words[:, 1] if longest > 8 else None
    shifted = first >> _BYTE if second is None else (first >> _BYTE) | (second << _TOP)
    left[0] = first
    np.bitwise_and(first, _BEFORE[:here], out=left[1 : 1 + here])
    left[1 : 1 + here] |= shifted & _FROM[:here]
    left[1 + here :] = first
    behind = None
    if second is not None:
        moved = second >> _BYTE
        behind = np.empty_like(left)
        behind[0] = second
        behind[1:9] = moved
        np.bitwise_and(second, _BEFORE[: longest - 8], out=behind[9:])
        behind[9:] |= moved & _FROM[: longest - 8]
    return hashed(left, behind)


def one_edit_apart(some: Bytes, others: Bytes, lengths: Bytes, other_lengths: Bytes) -> NDArray[np.bool_]:
    """Tell for each pair of rows whether exactly one edit makes them equal."""
    # Sixteen comparisons of a pair are the bits of one number, the first place in the lowest.
    differ = _bits((some != others).ravel())
    here_later = _later(some, others)
    there_later = _later(others, some)
    first = differ & -differ
    from_first = -first
    longer = lengths.astype(np.int8) - other_lengths.astype(np.int8)
    substituted = differ == first
    swapped = (differ == first * 3) & ((here_later | there_later) & first == 0)
    apart: NDArray[np.bool_] = (
        ((longer == 0) & (first != 0) & (substituted | swapped))
        | ((longer == 1) & (here_later & from_first == 0))
        | ((longer == -1) & (there_later & from_first == 0))
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
