"""The kind of misread of a listed vehicle, and the kind of vehicle of a false alert."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import TO_EQUIVALENT, TO_FOLDED, PlateCodes, translated
from anpr.matching.lookup.edits import are_one_edit_apart
from benchmarks.quality.world import Vehicles

MISREADS: Final = ("one glyph", "folds", "one edit", "further")
SAME_GLYPH, FOLDS, ONE_EDIT, FURTHER = range(len(MISREADS))
UNLISTED: Final = ("beside a listed number", "read right", "misread")
BESIDE, READ_RIGHT, MISREAD = range(len(UNLISTED))

Kinds = NDArray[np.uint8]


def of_misreads(plates: PlateCodes, reads: PlateCodes) -> Kinds:
    """Return for each plate and its read the narrowest kind of MISREADS."""
    folded, read_folded = (translated(texts.codes, TO_FOLDED) for texts in (plates, reads))
    kinds = np.full(len(plates), FURTHER, np.uint8)
    kinds[are_one_edit_apart(reads, plates)] = ONE_EDIT
    kinds[(folded == read_folded).all(axis=1)] = FOLDS
    kinds[(translated(plates.codes, TO_EQUIVALENT) == translated(reads.codes, TO_EQUIVALENT)).all(axis=1)] = (
        SAME_GLYPH
    )
    return kinds


def of_unlisted(vehicles: Vehicles, *, are_of_fleets: bool) -> Kinds:
    """Return for each vehicle its kind of UNLISTED."""
    if are_of_fleets:
        return np.full(len(vehicles.reads), BESIDE, np.uint8)
    right = (vehicles.plates.codes == vehicles.reads.codes).all(axis=1)
    return np.where(right, READ_RIGHT, MISREAD).astype(np.uint8)
