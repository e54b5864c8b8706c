"""The header of a list file: its first row that is not empty, past the line in which Excel names the separator.

Spreadsheets write more than a list needs: columns without a name, rows without a value. They are read past. A value
in a column without a name is a fault of its line, because its column may matter.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Final

from anpr.runtime.errors import InputError
from anpr.runtime.nearest import nearest, nearest_note
from anpr.runtime.plurals import counted
from anpr.watchlist.csv_cells import COLUMNS, as_text
from anpr.watchlist.csv_line import LineFault, RefusedLineError, wrong_cell_count
from anpr.watchlist.list_format import ListFormat

COMMA: Final = ","
# What spreadsheets put between columns where a comma is the decimal point, and what is pasted out of them.
SEPARATOR_NAMES: Final = {";": "semicolons", "\t": "tabs", "|": "vertical bars", ":": "colons"}
_SEPARATOR_LINE: Final = re.compile(r"\s*\"?sep=(.?)\"?\s*", re.IGNORECASE)
_SHOWN_CHARACTERS: Final = 64
_HEADERS_SHOWN: Final = 20
# How far below its beginning a file is searched for its header, and how many of our names make a line one.
_LINES_OF_TITLE: Final = 20
_FEWEST_NAMES: Final = 2
_REMOVE_TITLE: Final = "remove the lines above the header, so that it is the first one"


class Header:
    """The columns of a file that are used.

    Attributes:
        columns: Their names, as this program writes them, in the order of `cells_of`.
        unused: The headers of the columns that are left out.
        ends_given: How many rows got the format's `valid_until`.
    """

    def __init__(self, cells: Sequence[str], list_format: ListFormat) -> None:
        """`cells` are those of the header row."""
        headers = [as_text(cell) for cell in cells]
        used = _used_columns(headers, list_format)
        self.columns = [column for column, _ in used]
        self._positions = [position for _, position in used]
        self.unused = [
            header
            for at, header in enumerate(headers)
            if header and list_format.headers and at not in self._positions
        ]
        self._width = len(headers)
        self._unnamed = [at for at, header in enumerate(headers) if not header]
        self._fewest_cells = max((at + 1 for at, header in enumerate(headers) if header), default=0)
        self._is_plain = self._positions == list(range(self._width))
        self.ends_given = 0
        self._default_end = list_format.valid_until
        if self._default_end and "valid_until" not in self.columns:
            self.columns.append("valid_until")
        self._end_position = self.columns.index("valid_until") if "valid_until" in self.columns else -1

    def cells_of(self, row: Sequence[str], line: int) -> Sequence[str]:
        """Return the cells of the columns of a row. Raises RefusedLineError."""
        if not self._is_plain or len(row) > self._width:
            row = self._picked(row, line)
        if self._default_end and len(row) >= len(self._positions):
            row = self._with_end(row)
        return row

    def _picked(self, row: Sequence[str], line: int) -> Sequence[str]:
        beyond = [cell for cell in row[self._width :] if cell.strip()]
        if (beyond and not self._unnamed) or len(row) < self._fewest_cells:
            raise RefusedLineError(wrong_cell_count(row, self._width, line))
        if unnamed := [row[at] for at in self._unnamed if at < len(row) and row[at].strip()] + beyond:
            value = unnamed[0].strip()[:_SHOWN_CHARACTERS]
            raise RefusedLineError(LineFault(line, "line", value, "is in a column without a name"))
        return [row[position] for position in self._positions]

    def _with_end(self, row: Sequence[str]) -> Sequence[str]:
        """Return the row with the format's `valid_until` where it has none."""
        cells = list(row)
        if len(cells) == self._end_position:
            cells.append("")
        if not cells[self._end_position].strip():
            cells[self._end_position] = self._default_end
            self.ends_given += 1
        return cells


def read_header(rows: Iterator[list[str]], where: str, list_format: ListFormat) -> Header:
    """Read the header from `rows`. Raises InputError; `where` names the file in its message."""
    cells: list[str] = next((row for row in rows if not is_empty(row) and not _is_separator_line(row)), [])
    if is_empty(cells):
        raise InputError("list-column-missing", f"{where}: the first line names no column", "is this the right file?")
    _check_named_headers(cells, rows, list_format, where)
    header = Header(cells, list_format)
    if not any(column in COLUMNS or nearest(column, COLUMNS) for column in header.columns):
        raise _without_header(header.columns, rows, where)
    _check_columns(header.columns, where)
    return header


def is_empty(row: Sequence[str]) -> bool:
    """Return whether no cell of a row holds anything."""
    return not any(map(str.strip, row))


def separator_of(start: str, where: str, list_format: ListFormat) -> str:
    """Return what separates the columns of a file that begins with `start`: the names of columns show it.

    Where no headers are named it must be a comma. Raises InputError.
    """
    lines = [line for line in io.StringIO(start).readlines() if line.strip(' ,;|:\t"\r\n')]
    marked = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    first = lines[1] if marked and len(lines) > 1 else next(iter(lines), "")
    known = {*COLUMNS, *map(_folded, list_format.headers.values())}
    is_foreign = bool(list_format.headers)

    def likelihood(mark: str) -> tuple[int, int]:
        """Known columns decide. Where a named header is misspelt, the message should show the others apart."""
        cells = _split(first, mark)
        return sum(_folded(cell) in known for cell in cells), len(cells) if is_foreign else 0

    best = max((COMMA, *SEPARATOR_NAMES), key=likelihood)
    if marked and marked[1] in SEPARATOR_NAMES:
        best = marked[1]
    if best != COMMA and not is_foreign:
        raise InputError(
            "list-not-csv",
            f"{where}: the columns are separated by {SEPARATOR_NAMES[best]}, not by commas",
            "export it again as comma-separated values, or name its columns, as in --columns plate=PLATE: then they "
            "may be separated so",
        )
    return best


def _used_columns(headers: Sequence[str], list_format: ListFormat) -> list[tuple[str, int]]:
    """Return each column that is used, and its position in the file: mapped ones, and those with our own names."""
    used = []
    for position, header in enumerate(headers):
        mapped = [column for column, wanted in list_format.headers.items() if _folded(wanted) == _folded(header)]
        used += [(column, position) for column in mapped]
        name = _folded(header)
        if header and not mapped and name not in list_format.headers and (name in COLUMNS or not list_format.headers):
            used.append((name if name in COLUMNS else header, position))
    return used


def _folded(header: str) -> str:
    """Return a header so that case, spaces and hyphens do not matter."""
    return re.sub(r"[\s_-]+", "_", as_text(header).lower())


def _is_separator_line(row: Sequence[str]) -> bool:
    return _SEPARATOR_LINE.fullmatch(",".join(row)) is not None


def _split(line: str, separator: str) -> Sequence[str]:
    """Return the cells of a header line, if this separates them."""
    try:
        return next(csv.reader([line.strip()], delimiter=separator), [])
    except csv.Error:
        return []


def _check_named_headers(
    cells: Sequence[str], rows: Iterator[list[str]], list_format: ListFormat, where: str
) -> None:
    """Raise InputError when the file has no column, or two, of a header that the format names."""
    headers = [header for header in map(as_text, cells) if header]
    for column, wanted in list_format.headers.items():
        count = sum(_folded(header) == _folded(wanted) for header in headers)
        if count == 0:
            near = nearest_note(wanted, headers, "the nearest is")
            below = _header_below(rows, {_folded(wanted)}, 1)
            raise InputError(
                "list-column-missing",
                f"{where}: no column has the header {wanted!r}, which --columns names for {column!r}{near}; "
                f"the headers are {_shown(headers)}" + (f"; a line below has {below}" if below else ""),
                _REMOVE_TITLE if below else f"write --columns {column}=HEADER with the header as the file has it",
            )
        if count > 1:
            raise InputError(
                "list-column-twice", f"{where}: the column {wanted!r} occurs twice", "rename or remove one of them"
            )


def _without_header(columns: Sequence[str], rows: Iterator[list[str]], where: str) -> InputError:
    """Return the error of a file whose first line is no header."""
    shown = ", ".join(columns)[:_SHOWN_CHARACTERS]
    problem = f"{where}: the header is missing: the first line names no known column: {shown!r}"
    if below := _header_below(rows, COLUMNS, _FEWEST_NAMES):
        return InputError("list-column-missing", f"{problem}; a line below has {below}", _REMOVE_TITLE)
    return InputError(
        "list-column-missing",
        problem,
        "name the columns in the first line, as in plate,country,valid_until; if they have other names, "
        "say which, as in --columns plate=PLATE",
    )


def _header_below(rows: Iterator[list[str]], names: Collection[str], fewest: int) -> str:
    """Return the headers of the first row with so many of these names, "" for none: reports begin with a title."""
    for row in islice(rows, _LINES_OF_TITLE):
        if sum(_folded(cell) in names for cell in row) >= fewest:
            return _shown([cell for cell in row if cell.strip()])
    return ""


def _check_columns(columns: Sequence[str], where: str) -> None:
    for column in columns:
        if column not in COLUMNS:
            near = nearest_note(column, COLUMNS, "the nearest known one is")
            raise InputError(
                "list-unknown-column",
                f"{where}: unknown column {column[:_SHOWN_CHARACTERS]!r}{near}",
                "rename the column or remove it; docs/operators.md lists all columns. For a list of another system, "
                "name the columns that count, as in --columns plate=PLATE: the others are left out",
            )
        if columns.count(column) > 1:
            raise InputError(
                "list-column-twice", f"{where}: the column {column!r} occurs twice", "remove one of them"
            )
    _check_required(columns, where)


def _check_required(columns: Sequence[str], where: str) -> None:
    """Raise InputError when the file lacks a column that an entry needs."""
    for column, or_else in (("plate", ""), ("valid_until", ", or give all lines an end with --valid-for 30d")):
        if column not in columns:
            raise InputError(
                "list-column-missing",
                f"{where}: the column {column!r} is missing",
                f"add the column, or say which header it has, as in --columns {column}=HEADER{or_else}; "
                "docs/operators.md explains it",
            )


def notes_on(header: Header, separator: str, list_format: ListFormat) -> list[str]:
    """Return what a person must know of how a list of another system was read."""
    notes = []
    if separator != COMMA:
        notes.append(f"the columns are separated by {SEPARATOR_NAMES[separator]}")
    if header.unused:
        notes.append(f"columns that are not used: {_shown_with_nearest(header)}")
    if header.ends_given:
        lines = counted(header.ends_given, "line")
        notes.append(f"{lines} without a valid_until: they end on {list_format.valid_until}")
    return notes


def _shown_with_nearest(header: Header) -> str:
    """Return the unused headers, each with the known column that it resembles: it may be meant."""
    free = [column for column in COLUMNS if column not in header.columns]
    parts = []
    for name in header.unused[:_HEADERS_SHOWN]:
        near = nearest(name, free)
        parts.append(repr(name[:_SHOWN_CHARACTERS]) + (f" (near to {near!r})" if near else ""))
    more = len(header.unused) - _HEADERS_SHOWN
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")


def _shown(headers: Sequence[str]) -> str:
    more = ", …" if len(headers) > _HEADERS_SHOWN else ""
    return ", ".join(repr(name[:_SHOWN_CHARACTERS]) for name in headers[:_HEADERS_SHOWN]) + more
