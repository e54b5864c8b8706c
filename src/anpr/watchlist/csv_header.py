"""The header of a list file: its first row that is not empty, past the line in which Excel names the separator.

Spreadsheets write more than a list needs: columns without a name, rows without a value. They are read past. A value
in a column without a name is a fault of its line, because its column may matter.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Final

from anpr.runtime.errors import InputError
from anpr.runtime.nearest import nearest, nearest_note
from anpr.watchlist.csv_cells import COLUMNS
from anpr.watchlist.csv_line import LineFault, RefusedLineError

# What spreadsheets put between columns where a comma is the decimal point, and what is pasted out of them.
_OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs", "|": "vertical bars", ":": "colons"}
_SEPARATOR_LINE: Final = re.compile(r"\s*\"?sep=(.?)\"?\s*", re.IGNORECASE)
_SHOWN_CHARACTERS = 64


class Header:
    """The columns of a file.

    Attributes:
        columns: The names of the columns that have one.
    """

    def __init__(self, cells: Sequence[str]) -> None:
        """`cells` are those of the header row."""
        names = [_normal_name(cell) for cell in cells]
        self.columns = [name for name in names if name]
        self._positions = [position for position, name in enumerate(names) if name]
        self._has_gaps = self._positions != list(range(len(self._positions)))

    def named_cells(self, row: Sequence[str], line: int) -> Sequence[str]:
        """Return the cells of the columns that have a name. Raises RefusedLineError."""
        count = len(self.columns)
        if not self._has_gaps:
            return row if len(row) <= count or any(map(str.strip, row[count:])) else row[:count]
        unnamed = [cell for position, cell in enumerate(row) if position not in self._positions and cell.strip()]
        if unnamed:
            value = unnamed[0].strip()[:_SHOWN_CHARACTERS]
            raise RefusedLineError(LineFault(line, "line", value, "is in a column without a name"))
        return [row[position] for position in self._positions if position < len(row)]


def read_header(rows: Iterator[list[str]], start: str, where: str) -> Header:
    """Read the header from `rows`, of which `start` is the text at the beginning. Raises InputError.

    `where` names the file in messages.
    """
    _check_separator(start, where)
    cells: list[str] = next((row for row in rows if not is_empty(row) and not _is_separator_line(row)), [])
    header = Header(cells)
    _check_columns(header.columns, where)
    return header


def is_empty(row: Sequence[str]) -> bool:
    """Return whether no cell of a row holds anything."""
    return not any(map(str.strip, row))


def _normal_name(cell: str) -> str:
    """Return the name of a column as this program writes it: case and spaces do not matter."""
    name = re.sub(r"[\s-]+", "_", cell.strip().lower())
    return name if name in COLUMNS else cell.strip()


def _is_separator_line(row: Sequence[str]) -> bool:
    return _SEPARATOR_LINE.fullmatch(",".join(row)) is not None


def _check_separator(start: str, where: str) -> None:
    """Raise InputError when the columns are separated by something else than commas."""
    lines = [line for line in io.StringIO(start).readlines() if line.strip(' ,;|:\t"\r\n')]
    marked = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    first = lines[1] if marked and len(lines) > 1 else next(iter(lines), "")
    comma = _known_columns(first, ",")
    for mark, name in _OTHER_SEPARATORS.items():
        is_marked = marked is not None and marked[1] == mark
        if is_marked or _known_columns(first, mark) > comma:
            raise InputError(
                "list-not-csv",
                f"{where}: the columns are separated by {name}, not by commas",
                "export it again as comma-separated values",
            )


def _known_columns(line: str, separator: str) -> int:
    """Return how many columns of a header line are known, if this separates them."""
    try:
        cells: Sequence[str] = next(csv.reader([line.strip()], delimiter=separator), [])
    except csv.Error:
        return 0
    return sum(_normal_name(cell) in COLUMNS for cell in cells)


def _check_columns(columns: Sequence[str], where: str) -> None:
    if not columns:
        raise InputError("list-column-missing", f"{where}: the first line names no column", "is this the right file?")
    if not any(column in COLUMNS or nearest(column, COLUMNS) for column in columns):
        shown = ", ".join(columns)[:_SHOWN_CHARACTERS]
        raise InputError(
            "list-column-missing",
            f"{where}: the header is missing: the first line names no known column: {shown!r}",
            "name the columns in the first line, as in plate,country,valid_until",
        )
    for column in columns:
        if column not in COLUMNS:
            near = nearest_note(column, COLUMNS, "the nearest known one is")
            raise InputError(
                "list-unknown-column",
                f"{where}: unknown column {column[:_SHOWN_CHARACTERS]!r}{near}",
                "rename the column or remove it; docs/operators.md lists all columns",
            )
        if columns.count(column) > 1:
            raise InputError(
                "list-column-twice", f"{where}: the column {column!r} occurs twice", "remove one of them"
            )
    for column in ("plate", "valid_until"):
        if column not in columns:
            raise InputError(
                "list-column-missing",
                f"{where}: the column {column!r} is missing",
                "add the column; docs/operators.md explains it",
            )
