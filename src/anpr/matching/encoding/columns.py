"""Arrays in the one form that kernels take: in order in memory, and what does not change is read-only.

A kernel is compiled for the types of its arguments. For an array in another form Numba would compile it again.
"""

from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import WIDTH, Codes, Lengths, PlateCodes

Value = TypeVar("Value")


class Texts(NamedTuple):
    """The arrays of `PlateCodes` for texts of reads, none left out. They can be written."""

    codes: Codes
    lengths: Lengths
    countries: NDArray[np.uint16]
    confidences: NDArray[np.float32]
    char_confidences: NDArray[np.float32]
    are_candidates: NDArray[np.bool_]
    calibrated: NDArray[np.float32]


class Plates(NamedTuple):
    """The arrays of `PlateCodes` for listed plates. They cannot be written, as those of a mapped file."""

    codes: Codes
    lengths: Lengths
    countries: NDArray[np.uint16]


def texts_for_kernels(texts: PlateCodes) -> Texts:
    """Return the arrays of texts of reads."""
    char_confidences, are_candidates = texts.char_confidences, texts.are_candidates
    calibrated = texts.confidences if texts.calibrated is None else texts.calibrated
    if char_confidences is None:
        char_confidences = np.full((len(texts), WIDTH), np.nan, np.float32)
    if are_candidates is None:
        are_candidates = np.zeros(len(texts), np.bool_)
    of_texts = texts.codes, texts.lengths, texts.countries, texts.confidences
    columns = (*of_texts, char_confidences, are_candidates, calibrated)
    # Of one that is already in this form `np.require` takes ten times as long.
    made: list[Any] = [column if column.flags.carray else np.require(column, None, ("C", "W")) for column in columns]
    return Texts(*made)


def plates_for_kernels(plates: PlateCodes) -> Plates:
    """Return the arrays of listed plates."""
    return for_kernels(Plates(plates.codes, plates.lengths, plates.countries))


def for_kernels(value: Value) -> Value:
    """Return a value with all arrays in it, of tuples in it too, in order in memory and read-only."""
    made: Any = value
    if isinstance(made, np.ndarray):
        made = np.ascontiguousarray(made).view()
        made.flags.writeable = False
    elif isinstance(made, tuple):
        named: Any = type(made)
        made = named._make(for_kernels(part) for part in made)
    return cast("Value", made)
