"""A possible plate inside a text: a stretch of it, or its second line followed by its first."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.columns import Texts
from anpr.matching.encoding.plate_codes import WIDTH, Codes, PlateCodes, Rows
from anpr.matching.kernels import kernel, step

# A cut has `count` characters from `start` on, in a circle of `around`. `share` is how often a plate of the `country`
# is read so. `may_be_misread` says whether the plate is looked for with one misread letter too, `has_known_layout`
# that only a listed plate in a known layout counts.
CUT: Final = np.dtype(
    (
        np.record,
        [
            ("row", np.intp),
            ("start", np.intp),
            ("count", np.intp),
            ("around", np.intp),
            ("country", np.uint16),
            ("share", np.float64),
            ("may_be_misread", np.bool_),
            ("has_known_layout", np.bool_),
        ],
    )
)
Cuts = NDArray[Any]


@step
def write_cut(
    cuts: Cuts,
    number: int,
    row: int,
    start: int,
    count: int,
    around: int,
    country: int,
    share: float,
    may_be_misread: bool,
    has_known_layout: bool,
) -> int:
    """Write a cut where there is room for it, and return how many there are."""
    if number < len(cuts):
        cut = cuts[number]
        cut.row = row
        cut.start = start
        cut.count = count
        cut.around = around
        cut.country = country
        cut.share = share
        cut.may_be_misread = may_be_misread
        cut.has_known_layout = has_known_layout
    return number + 1


@step
def cut_codes(codes: Codes, char_confidences: NDArray[np.float32], cut: Any, into: Codes, chars: Any) -> None:
    """Write the characters of a cut and their confidences."""
    for at in range(WIDTH):
        if at < cut.count:
            position = (cut.start + at) % cut.around
            into[at] = codes[position]
            chars[at] = char_confidences[position]
        else:
            into[at] = 0
            chars[at] = np.nan


@kernel
def _cut_all(texts: Texts, cuts: Cuts, codes: Codes, chars: NDArray[np.float32]) -> None:
    for number in range(len(cuts)):
        row = cuts[number].row
        cut_codes(texts.codes[row], texts.char_confidences[row], cuts[number], codes[number], chars[number])


def all_cuts(cuts_into: Callable[[Cuts], int], expected: int) -> Cuts:
    """Return the cuts that a kernel writes into an array, however many there are."""
    cuts = np.empty(expected, CUT)
    count = cuts_into(cuts)
    if count > len(cuts):
        cuts = np.empty(count, CUT)
        cuts_into(cuts)
    return cuts[:count]


def cut_out(texts: Texts, cuts: Cuts) -> tuple[Rows, PlateCodes]:
    """Return the row of the text of each cut, and the plates that are cut out."""
    rows = cuts["row"]
    codes, chars = np.empty((len(cuts), WIDTH), np.uint8), np.empty((len(cuts), WIDTH), np.float32)
    _cut_all(texts, cuts, codes, chars)
    lengths, countries = cuts["count"].astype(np.uint8), np.ascontiguousarray(cuts["country"])
    of_texts = texts.are_candidates[rows], texts.calibrated[rows]
    plates = PlateCodes(codes, lengths, countries, texts.confidences[rows], chars, *of_texts)
    return rows, plates
