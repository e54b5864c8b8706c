"""How a plate became a read: the cheapest sequence of single-character edits between the two texts."""

from typing import NamedTuple

# 0/O and 1/I are one glyph on many plates. Such a swap costs less than any other difference, so that it is recognised
# even beside other errors.
GLYPH_SWAPS = frozenset({("0", "O"), ("O", "0"), ("1", "I"), ("I", "1")})
_EDIT_COST = 4
_SWAP_COST = 1


class Step(NamedTuple):
    """One step of an alignment: `true` became `read` at `position` (from 0) of the plate. Either may be empty."""

    true: str
    read: str
    position: int

    @property
    def kind(self) -> str:
        """What happened: kept, swapped (the one glyph), substituted, deleted or inserted."""
        if self.true == self.read:
            return "kept"
        if (self.true, self.read) in GLYPH_SWAPS:
            return "swapped"
        if not self.read:
            return "deleted"
        return "substituted" if self.true else "inserted"


def align(plate: str, read: str) -> list[Step]:
    """Return the steps of the cheapest alignment. Among equal ones, substitutions are as far right as possible."""
    costs = _costs(plate, read)
    steps = []
    i, j = len(plate), len(read)
    while i or j:
        here = costs[i][j]
        if i and j and here == costs[i - 1][j - 1] + _cost(plate[i - 1], read[j - 1]):
            i, j = i - 1, j - 1
            steps.append(Step(plate[i], read[j], i))
        elif i and here == costs[i - 1][j] + _EDIT_COST:
            i -= 1
            steps.append(Step(plate[i], "", i))
        else:
            j -= 1
            steps.append(Step("", read[j], i))
    return steps[::-1]


def edits(first: str, second: str) -> int:
    """Return the Levenshtein distance: substitutions, deletions and insertions of single characters."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        before, row = row, [i]
        for j, b in enumerate(second, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
    return row[-1]


def _costs(plate: str, read: str) -> list[list[int]]:
    table = [[j * _EDIT_COST for j in range(len(read) + 1)]]
    for i, true in enumerate(plate, 1):
        above, row = table[-1], [i * _EDIT_COST]
        for j, seen in enumerate(read, 1):
            row.append(min(above[j - 1] + _cost(true, seen), above[j] + _EDIT_COST, row[-1] + _EDIT_COST))
        table.append(row)
    return table


def _cost(true: str, read: str) -> int:
    if true == read:
        return 0
    return _SWAP_COST if (true, read) in GLYPH_SWAPS else _EDIT_COST
