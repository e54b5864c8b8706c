"""How probable it is that a camera reads one text of a plate that bears another.

The table `data/misreads.toml` says how often each character is read as each other, left out, or read where none is.
The probability of a whole misread is the product over the places where the two texts differ, along the alignment
that is likeliest. Errors come together (dirt, blur, a tilted plate), so each edit beside another is likelier than
alone.

Logarithms are kept as whole numbers of a ten-thousandth, for sums of whole numbers do not hang on their order: a read
has the same probability alone and in a batch.
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

# One unit of a logarithm below.
UNITS: Final = 10_000
# What no alignment of at most one character too many or too few explains.
IMPOSSIBLE: Final = -1_000_000_000
# An edit beside another is this many times likelier than alone. Of measured misreads 46 % have a second edit where
# chance would give 7 %; factors from 3 to 6 find the same within a point (benchmarks/quality.py).
FURTHER_EDIT_FACTOR: Final = 4.0

_PER = 1_000_000


class ConfusionModel:
    """The rates of one table, ready to be looked up by codes of characters."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        """Take a table as `data/misreads.toml` holds it."""
        substitution = np.zeros((CODE_COUNT, CODE_COUNT))
        deletion = np.zeros(CODE_COUNT)
        for true, row in table["substitution"].items():
            for read, rate in row.items():
                substitution[_code(true), _code(read)] = rate / _PER
        substitution[1:UNREADABLE, UNREADABLE] = table["unreadable"] / _PER
        for true, rate in table["deletion"].items():
            deletion[_code(true)] = rate / _PER
        # Rates by code: of `true` (rows) being read as `read`, of being left out, of being read where nothing is.
        self.substitution: Final = substitution
        self.deletion: Final = deletion
        self.insertion: Final[float] = table["insertion"] / _PER
        self.right_share: Final[float] = table["right_share"]
        # The country's letters beside the plate are read as its beginning.
        self.prefix_share: Final[float] = table["badge"] / _PER
        # An edit says that the picture is bad: that all the rest was read right has this probability.
        self.alone_share: Final[float] = table["alone_share"]
        # By code, in logarithms: the highest rate of any one edit that puts this character into the read where one of
        # another fold stood, or none. Code 0, behind the text's end, is no character to be taken out.
        folds = np.frombuffer(TO_FOLDED, np.uint8)[:CODE_COUNT]
        into = np.where(folds[:, None] != folds, substitution, 0).max(axis=0)
        into = np.maximum(into, max(self.insertion, table["swap"] / _PER))
        self._log_likeliest_into = _logs(into * self.alone_share).astype(np.int32)
        self._log_likeliest_into[0] = IMPOSSIBLE
        self._log_likeliest_loss = _log(float(deletion.max()) * self.alone_share)
        self._log_right = _log(self.right_share)
        self._further = _log(FURTHER_EDIT_FACTOR)
        # Of the first edit, which has no factor, and of the rest that was read right.
        self._log_alone = _log(self.alone_share) - self._further
        self._log_substitution = _logs(substitution)
        self._log_deletion = _logs(deletion)
        self._log_insertion = _log(self.insertion)
        self._log_swap = _log(table["swap"] / _PER)

    def log_probability(self, read: Codes, read_lengths: Lengths, true: Codes, true_lengths: Lengths) -> Logs:
        """Return, for (m, 16) codes of reads and plates, the logarithm in UNITS of reading the one of the other.

        At most one character too many or too few is explained; else the answer is IMPOSSIBLE.
        """
        longer = read_lengths.astype(np.int64) - true_lengths
        if not longer.any():
            return self._same_length(read, true)
        logs = np.full(len(read), IMPOSSIBLE, np.int64)
        if len(rows := (longer == 0).nonzero()[0]):
            logs[rows] = self._same_length(read[rows], true[rows])
        for more, long, short, lengths in ((1, read, true, read_lengths), (-1, true, read, true_lengths)):
            if len(rows := (longer == more).nonzero()[0]):
                logs[rows] = self._one_more(long[rows], short[rows], lengths[rows], read_is_longer=more > 0)
        return logs

    def most_near(self, read: Codes) -> NDArray[np.int32]:
        """Return, for (n, k) codes of reads, (n, 1 + k) logarithms that no plate one edit away exceeds.

        Column 0 is for plates of which the read is folded alike once they lack one character, column 1 + p for those
        that it is alike once its own character p is taken out: of the plate as well, or of the read alone.
        """
        # A further edit within a fold makes a misread rarer, whatever its factor: each rate is below a quarter.
        logs = np.empty((len(read), 1 + read.shape[1]), np.int32)
        logs[:, 0] = self._log_likeliest_loss
        logs[:, 1:] = self._log_likeliest_into.take(read)
        return logs

    def _same_length(self, read: Codes, true: Codes) -> Logs:
        each = self._each(read, true)
        logs: Logs = each.sum(axis=1) + self._log_alone
        differing = (read != true).sum(axis=1)
        logs[differing == 0] = self._log_right
        rows = (differing > 1).nonzero()[0]
        if rows.size:
            logs[rows] = np.maximum(logs[rows], self._swapped(read[rows], true[rows], each[rows]))
        return logs

    def _swapped(self, read: Codes, true: Codes, each: Logs) -> Logs:
        """Return what it costs when two neighbours stand in each other's place: their two edits give way to that."""
        crossed = self._each(read[:, 1:], true[:, :-1]) + self._each(read[:, :-1], true[:, 1:])
        gains = (crossed - each[:, :-1] - each[:, 1:]).max(axis=1)
        logs: Logs = each.sum(axis=1) + gains + self._log_swap + self._further + self._log_alone
        return logs

    def _one_more(self, longer: Codes, shorter: Codes, lengths: Lengths, *, read_is_longer: bool) -> Logs:
        """Return the best place for the one character that the longer text has more."""
        head, tail = shorter[:, : WIDTH - 1], longer[:, 1:]
        before = self._each(*((longer[:, :-1], head) if read_is_longer else (head, longer[:, :-1])))
        behind = self._each(*((tail, head) if read_is_longer else (head, tail)))
        logs = np.zeros(longer.shape, np.int64)
        logs[:, 1:] = np.cumsum(before, axis=1)
        logs[:, :-1] += np.cumsum(behind[:, ::-1], axis=1)[:, ::-1]
        logs += self._log_insertion if read_is_longer else self._log_deletion[longer]
        logs[np.arange(WIDTH) >= lengths[:, None]] = IMPOSSIBLE
        best: Logs = np.maximum(logs.max(axis=1, initial=IMPOSSIBLE) + self._further + self._log_alone, IMPOSSIBLE)
        return best

    def _each(self, read: Codes, true: Codes) -> Logs:
        """Return what each place costs, a further edit's factor included where it is one."""
        return np.where(read == true, 0, self._log_substitution[true, read] + self._further)


def _code(character: str) -> int:
    return ALPHABET.index(character) + 1


def _log(value: float) -> int:
    return round(math.log(value) * UNITS)


def _logs(values: NDArray[np.float64]) -> Logs:
    with np.errstate(divide="ignore"):
        logs = np.log(values) * UNITS
    return np.where(values > 0, np.rint(np.nan_to_num(logs, neginf=0)), IMPOSSIBLE // 100).astype(np.int64)


CONFUSION_MODEL: Final = ConfusionModel(tables.load("misreads"))
