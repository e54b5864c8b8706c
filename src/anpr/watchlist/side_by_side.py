"""Two versions of an entry side by side, field by field, for a person who decides."""

import textwrap
from collections.abc import Iterator
from itertools import zip_longest

from anpr.contracts.events import Entry
from anpr.watchlist.csv_cells import COLUMNS
from anpr.watchlist.csv_export import cells_of

_WIDTH = 44


def side_by_side(active: Entry, new: Entry) -> str:
    """Return a table of all fields that either entry has. A `*` marks those that differ."""
    before, after = cells_of(active), cells_of(new)
    rows = [_row("", "column", "active now", "new")]
    for column in COLUMNS:
        if before[column] or after[column]:
            mark = "*" if before[column] != after[column] else ""
            rows += _wrapped_rows(mark, column, before[column], after[column])
    return "\n".join(rows)


def _wrapped_rows(mark: str, column: str, before: str, after: str) -> Iterator[str]:
    sides = (textwrap.wrap(_printable(text), _WIDTH) for text in (before, after))
    for number, (left, right) in enumerate(zip_longest(*sides, fillvalue="")):
        yield _row("" if number else mark, "" if number else column, left, right)


def _row(mark: str, column: str, before: str, after: str) -> str:
    return f"{mark:2}{column:15}  {before:{_WIDTH}}  {after}".rstrip()


def _printable(text: str) -> str:
    """Return the text without characters that would move the cursor of a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)
