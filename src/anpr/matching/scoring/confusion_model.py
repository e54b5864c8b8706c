"""The confusion model: how probable it is that a camera reads one text from a plate that has another.

`misreads.toml` says how often each character is read as each other, left out, or read where there is none. The
probability of a whole misread is the product over the positions where the two texts differ, along the likeliest
alignment. Errors come together (dirt, blur, a tilted plate), so an edit beside another is likelier than alone.

Logarithms are whole numbers in units of a ten-thousandth.
"""

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import CODE_COUNT, TO_FOLDED, UNREADABLE, Codes
from anpr.matching.kernels import step
from anpr.reference_data import tables
from anpr.reference_data.limits import ALPHABET

Logs = NDArray[np.int64]

# Units of a logarithm: 1 is 10,000 units.
UNITS: Final = 10_000
# The logarithm of a pair that no alignment explains: the lengths differ by more than one.
IMPOSSIBLE: Final = -1_000_000_000
# An edit beside another is this many times likelier than alone. Of measured misreads 46 % have a second edit, where
# chance would give 7 %. Factors from 3 to 6 find the same number of vehicles within a point (benchmarks/quality).
FURTHER_EDIT_FACTOR: Final = 4.0

_PER_MILLION = 1_000_000


class ConfusionTables(NamedTuple):
    """What kernels look up, by character codes: logarithms in UNITS. Substitutions by true, then by read character.

    The first edit of a misread has no factor: `log_alone` takes one off, and counts that the rest was read right.
    """

    log_substitution: Logs
    log_deletion: Logs
    log_insertion: int
    log_swap: int
    log_right: int
    right_share: float
    log_further: int
    log_alone: int
    log_highest_rates: Logs
    log_highest_deletion: int


class ConfusionModel:
    """The rates of one table, ready to be looked up by character codes."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        """Take a table with the fields of `misreads.toml`."""
        substitution = np.zeros((CODE_COUNT, CODE_COUNT))
        deletion = np.zeros(CODE_COUNT)
        for true, row in table["substitution"].items():
            for read, rate in row.items():
                substitution[_code(true), _code(read)] = rate / _PER_MILLION
        substitution[1:UNREADABLE, UNREADABLE] = table["unreadable"] / _PER_MILLION
        for true, rate in table["deletion"].items():
            deletion[_code(true)] = rate / _PER_MILLION
        # Rates by code: how often `true` (rows) is read as `read` (columns), is left out, or is read where there is
        # nothing.
        self.substitution: Final = substitution
        self.deletion: Final = deletion
        self.insertion: Final[float] = table["insertion"] / _PER_MILLION
        self.right_share: Final[float] = table["right_share"]
        # The share of plates that are read with their country prefix.
        self.prefix_share: Final[float] = table["badge"] / _PER_MILLION
        # The probability that a misread has no other edit. One edit shows that the picture is bad.
        self.alone_share: Final[float] = table["alone_share"]
        # By code, as logarithms: the highest rate of any edit that puts this character into a read, where a character
        # of another fold stood or none. A further edit within a fold makes a misread rarer in spite of its factor:
        # each rate is below a quarter.
        folds = np.frombuffer(TO_FOLDED, np.uint8)[:CODE_COUNT]
        highest_rates = np.where(folds[:, None] != folds, substitution, 0).max(axis=0)
        highest_rates = np.maximum(highest_rates, max(self.insertion, table["swap"] / _PER_MILLION))
        log_further = _log(FURTHER_EDIT_FACTOR)
        self.tables: Final = ConfusionTables(
            log_substitution=_logs(substitution),
            log_deletion=_logs(deletion),
            log_insertion=_log(self.insertion),
            log_swap=_log(table["swap"] / _PER_MILLION),
            log_right=_log(self.right_share),
            right_share=self.right_share,
            log_further=log_further,
            log_alone=_log(self.alone_share) - log_further,
            log_highest_rates=_logs(highest_rates * self.alone_share),
            log_highest_deletion=_log(float(deletion.max()) * self.alone_share),
        )


@step
def log_misread(confusions: ConfusionTables, read: Codes, read_length: int, true: Codes, true_length: int) -> int:
    """Return the logarithm, in UNITS, of reading the one text from a plate with the other.

    A read may have one character too many or too few. With more, the answer is IMPOSSIBLE.
    """
    if read_length == true_length:
        return _log_same_length(confusions, read, true, read_length)
    if read_length == true_length + 1:
        return _log_one_more(confusions, read, true, read_length)
    if read_length + 1 == true_length:
        return _log_one_lost(confusions, read, true, true_length)
    return IMPOSSIBLE


@step
def _log_at(confusions: ConfusionTables, read: int, true: int) -> int:
    """Return the logarithm of one position: 0 where it is read right, else with a further edit's factor."""
    return 0 if read == true else confusions.log_substitution[true, read] + confusions.log_further


@step
def _log_same_length(confusions: ConfusionTables, read: Codes, true: Codes, length: int) -> int:
    """Return the best logarithm by substitutions, or with two neighbours swapped: one swap replaces two edits."""
    substituted, differences = 0, 0
    for at in range(length):
        substituted += _log_at(confusions, read[at], true[at])
        differences += read[at] != true[at]
    if differences == 0:
        return confusions.log_right
    best = substituted
    if differences > 1:
        for at in range(length - 1):
            crossed = _log_at(confusions, read[at + 1], true[at]) + _log_at(confusions, read[at], true[at + 1])
            straight = _log_at(confusions, read[at], true[at]) + _log_at(confusions, read[at + 1], true[at + 1])
            swapped = substituted - straight + crossed + confusions.log_swap + confusions.log_further
            best = max(best, swapped)
    return best + confusions.log_alone


@step
def _log_one_more(confusions: ConfusionTables, read: Codes, true: Codes, length: int) -> int:
    """Return the logarithm of a read with one character more, at the position that fits best."""
    before, behind = 0, 0
    for at in range(1, length):
        behind += _log_at(confusions, read[at], true[at - 1])
    best = before + behind
    for at in range(1, length):
        before += _log_at(confusions, read[at - 1], true[at - 1])
        behind -= _log_at(confusions, read[at], true[at - 1])
        best = max(best, before + behind)
    return max(best + confusions.log_insertion + confusions.log_further + confusions.log_alone, IMPOSSIBLE)


@step
def _log_one_lost(confusions: ConfusionTables, read: Codes, true: Codes, length: int) -> int:
    """Return the logarithm of a read without one character of the plate, the one that fits best."""
    before, behind = 0, 0
    for at in range(1, length):
        behind += _log_at(confusions, read[at - 1], true[at])
    best = before + behind + confusions.log_deletion[true[0]]
    for at in range(1, length):
        before += _log_at(confusions, read[at - 1], true[at - 1])
        behind -= _log_at(confusions, read[at - 1], true[at])
        best = max(best, before + behind + confusions.log_deletion[true[at]])
    return max(best + confusions.log_further + confusions.log_alone, IMPOSSIBLE)


def _code(character: str) -> int:
    return ALPHABET.index(character) + 1


def _log(value: float) -> int:
    return round(math.log(value) * UNITS)


def _logs(values: NDArray[np.float64]) -> Logs:
    with np.errstate(divide="ignore"):
        logs = np.log(values) * UNITS
    return np.where(values > 0, np.rint(np.nan_to_num(logs, neginf=0)), IMPOSSIBLE // 100).astype(np.int64)


CONFUSION_MODEL: Final = ConfusionModel(tables.load("misreads"))
