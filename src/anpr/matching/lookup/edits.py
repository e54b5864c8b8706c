"""Plates one edit apart: one character inserted, deleted or substituted, or two neighbours swapped.

Two plates one edit apart become equal when one character is deleted from the longer, or one from each. So the list
holds each plate under itself and under every plate one deletion away, and a read is looked up under its own. Then
the pairs that meet are compared: plates further apart can meet too, for example where a character has moved further
than to its neighbour.

A word holds eight characters, so deleting one takes a mask and a shift.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.columns import for_kernels, plates_for_kernels
from anpr.matching.encoding.plate_codes import CODE_COUNT, TO_FOLDED, WIDTH, Codes, Lengths, PlateCodes
from anpr.matching.kernels import as_int, kernel, step

_BYTE, _TOP, _ALL = np.uint64(8), np.uint64(56), np.uint64(0xFFFFFFFFFFFFFFFF)

FOLDS: Final = for_kernels(np.frombuffer(TO_FOLDED, np.uint8)[:CODE_COUNT])


def are_one_edit_apart(left: PlateCodes, right: PlateCodes) -> NDArray[np.bool_]:
    """Return for each pair of rows whether exactly one edit makes their folded keys equal."""
    plates, others = plates_for_kernels(left), plates_for_kernels(right)
    are_apart = np.empty(len(left), np.bool_)
    _are_one_edit_apart(FOLDS, plates.codes, plates.lengths, others.codes, others.lengths, are_apart)
    return are_apart


@step
def folded_words(folds: Codes, codes: Codes) -> tuple[np.uint64, np.uint64]:
    """Return the two words of a plate's folded key."""
    first, second = np.uint64(0), np.uint64(0)
    for at in range(WIDTH // 2 - 1, -1, -1):
        first = (first << _BYTE) | np.uint64(folds[codes[at]])
        second = (second << _BYTE) | np.uint64(folds[codes[at + WIDTH // 2]])
    return first, second


@step
def without(first: np.uint64, second: np.uint64, at: int) -> tuple[np.uint64, np.uint64]:
    """Return the two words of a plate without the character at a position."""
    if at < WIDTH // 2:
        return _without(first, second, np.uint64(8 * at)), second >> _BYTE
    return first, _without(second, np.uint64(0), np.uint64(8 * at - 64))


@step
def _without(word: np.uint64, behind: np.uint64, bit: np.uint64) -> np.uint64:
    moved = _ALL << bit
    return (word & ~moved) | (((word >> _BYTE) | (behind << _TOP)) & moved)


@kernel
def _are_one_edit_apart(
    folds: Codes,
    left: Codes,
    left_lengths: Lengths,
    right: Codes,
    right_lengths: Lengths,
    are_apart: NDArray[np.bool_],
) -> None:
    for row in range(len(left)):
        left_length, right_length = as_int(left_lengths[row]), as_int(right_lengths[row])
        are_apart[row] = one_edit_apart(folds, left[row], left_length, right[row], right_length)


@step
def one_edit_apart(folds: Codes, left: Codes, left_length: int, right: Codes, right_length: int) -> bool:
    """Return whether exactly one edit makes two plates equal, once each character is replaced by its fold."""
    at = 0
    while at < WIDTH and folds[left[at]] == folds[right[at]]:
        at += 1
    if left_length == right_length + 1:
        return _same_from(folds, left, at + 1, right, at)
    if left_length + 1 == right_length:
        return _same_from(folds, left, at, right, at + 1)
    if left_length != right_length or at == WIDTH:
        return False
    if _same_from(folds, left, at + 1, right, at + 1):
        return True
    is_swapped = (
        at + 1 < WIDTH and folds[left[at]] == folds[right[at + 1]] and folds[left[at + 1]] == folds[right[at]]
    )
    return is_swapped and _same_from(folds, left, at + 2, right, at + 2)


@step
def _same_from(folds: Codes, left: Codes, left_at: int, right: Codes, right_at: int) -> bool:
    """Return whether two plates are the same from these positions on."""
    while left_at < WIDTH and right_at < WIDTH:
        if folds[left[left_at]] != folds[right[right_at]]:
            return False
        left_at += 1
        right_at += 1
    return True
