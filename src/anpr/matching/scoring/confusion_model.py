"""The confusion model: how probable it is that a camera reads one text from a plate that has another.

`misreads.toml` says how often each character is read as each other, left out, or read where there is none. The
probability of a whole misread is the product over the positions where the two texts differ, along the likeliest
alignment. Errors come together (dirt, blur, a tilted plate), so an edit beside another is likelier than alone.

Logarithms are whole numbers in units of a ten-thousandth. The sum of whole numbers does not depend on their order, so
a read has the same probability alone and in a batch.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import CODE_COUNT, TO_FOLDED, UNREADABLE, WIDTH, Codes, Lengths
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
        # of another fold stood or none. Code 0, behind the end of the text, is no character that can be deleted.
        folds = np.frombuffer(TO_FOLDED, np.uint8)[:CODE_COUNT]
        highest_rates = np.where(folds[:, None] != folds, substitution, 0).max(axis=0)
        highest_rates = np.maximum(highest_rates, max(self.insertion, table["swap"] / _PER_MILLION))
        self._log_highest_rates = _logs(highest_rates * self.alone_share).astype(np.int32)
        self._log_highest_rates[0] = IMPOSSIBLE
        self._log_highest_deletion = _log(float(deletion.max()) * self.alone_share)
        self._log_right = _log(self.right_share)
        self._log_further = _log(FURTHER_EDIT_FACTOR)
        # The first edit has no factor: this takes one off, and counts that the rest was read right.
        self._log_alone = _log(self.alone_share) - self._log_further
        self._log_substitution = _logs(substitution)
        self._log_deletion = _logs(deletion)
        self._log_insertion = _log(self.insertion)
        self._log_swap = _log(table["swap"] / _PER_MILLION)

    def log_probability(self, read: Codes, read_lengths: Lengths, true: Codes, true_lengths: Lengths) -> Logs:
        """Return, for (m, 16) codes of reads and plates, the logarithm in UNITS of reading the one from the other.

        A read may have one character too many or too few. With more, the answer is IMPOSSIBLE.
        """
        length_differences = read_lengths.astype(np.int64) - true_lengths
        if not length_differences.any():
            return self._same_length(read, true)
        logs = np.full(len(read), IMPOSSIBLE, np.int64)
        if len(rows := (length_differences == 0).nonzero()[0]):
            logs[rows] = self._same_length(read[rows], true[rows])
        for difference, long, short, lengths in ((1, read, true, read_lengths), (-1, true, read, true_lengths)):
            if len(rows := (length_differences == difference).nonzero()[0]):
                is_read_longer = difference > 0
                logs[rows] = self._one_longer(long[rows], short[rows], lengths[rows], is_read_longer=is_read_longer)
        return logs

    def near_bounds(self, read: Codes) -> NDArray[np.int32]:
        """Return, for (n, k) codes of reads, (n, 1 + k) upper bounds of `log_probability` for plates one edit away.

        Column 0 is for plates that fold to the same text as the read once they lose one character. Column 1 + p is
        for plates that fold to the same text once the read loses its character p, whether the plate loses one or not.
        """
        # A further edit within a fold makes a misread rarer in spite of its factor: each rate is below a quarter.
        logs = np.empty((len(read), 1 + read.shape[1]), np.int32)
        logs[:, 0] = self._log_highest_deletion
        logs[:, 1:] = self._log_highest_rates.take(read)
        return logs

    def _same_length(self, read: Codes, true: Codes) -> Logs:
        by_position = self._position_logs(read, true)
        logs: Logs = by_position.sum(axis=1) + self._log_alone
        difference_counts = (read != true).sum(axis=1)
        logs[difference_counts == 0] = self._log_right
        rows = (difference_counts > 1).nonzero()[0]
        if rows.size:
            logs[rows] = np.maximum(logs[rows], self._swapped(read[rows], true[rows], by_position[rows]))
        return logs

    def _swapped(self, read: Codes, true: Codes, by_position: Logs) -> Logs:
        """Return the best logarithm with two neighbours swapped: one swap replaces their two edits."""
        crossed = self._position_logs(read[:, 1:], true[:, :-1]) + self._position_logs(read[:, :-1], true[:, 1:])
        gains = (crossed - by_position[:, :-1] - by_position[:, 1:]).max(axis=1)
        logs: Logs = by_position.sum(axis=1) + gains + self._log_swap + self._log_further + self._log_alone
        return logs

    def _one_longer(self, longer: Codes, shorter: Codes, lengths: Lengths, *, is_read_longer: bool) -> Logs:
        """Return the logarithm with the extra character of the longer text at the position that fits best."""
        head, tail = shorter[:, : WIDTH - 1], longer[:, 1:]
        before = self._position_logs(*((longer[:, :-1], head) if is_read_longer else (head, longer[:, :-1])))
        behind = self._position_logs(*((tail, head) if is_read_longer else (head, tail)))
        logs = np.zeros(longer.shape, np.int64)
        logs[:, 1:] = np.cumsum(before, axis=1)
        logs[:, :-1] += np.cumsum(behind[:, ::-1], axis=1)[:, ::-1]
        logs += self._log_insertion if is_read_longer else self._log_deletion[longer]
        logs[np.arange(WIDTH) >= lengths[:, None]] = IMPOSSIBLE
        best: Logs = np.maximum(
            logs.max(axis=1, initial=IMPOSSIBLE) + self._log_further + self._log_alone, IMPOSSIBLE
        )
        return best

    def _position_logs(self, read: Codes, true: Codes) -> Logs:
        """Return the logarithm of each position: 0 where nothing is misread, else with a further edit's factor."""
        return np.where(read == true, 0, self._log_substitution[true, read] + self._log_further)


def _code(character: str) -> int:
    return ALPHABET.index(character) + 1


def _log(value: float) -> int:
    return round(math.log(value) * UNITS)


def _logs(values: NDArray[np.float64]) -> Logs:
    with np.errstate(divide="ignore"):
        logs = np.log(values) * UNITS
    return np.where(values > 0, np.rint(np.nan_to_num(logs, neginf=0)), IMPOSSIBLE // 100).astype(np.int64)


CONFUSION_MODEL: Final = ConfusionModel(tables.load("misreads"))
