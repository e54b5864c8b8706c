"""Reads a list as operators write it: a CSV file with a header and one entry a line.

`plate` and `valid_until` must be given; every other column may be missing. A line that cannot be used is refused with
its number, field, value and reason, and the other lines are read all the same. An unknown column refuses the whole
file, because a misspelt `valid_until` would list its plates for ever. The encoding is never guessed: it is UTF-8, or
the one that the operator names.
"""

import codecs
import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from anpr.contracts.events import NO_GENERATION, Entry
from anpr.runtime.errors import InputError
from anpr.runtime.nearest import nearest
from anpr.watchlist.csv_cells import COLUMNS
from anpr.watchlist.csv_line import SHORT_PLATE_CHARACTERS, EntryParser, LineFault, RefusedLineError
from anpr.watchlist.progress import Progress, silent

__all__ = ["COLUMNS", "ENCODINGS", "NO_GENERATION", "LineFault", "ListFile", "read_list"]

ENCODINGS = ("utf-8", "utf-16", "windows-1250", "windows-1251", "windows-1252", "iso-8859-1", "iso-8859-15")
# A file is held in memory while it is read, beside its entries.
MAX_FILE_BYTES = 2 * 1024**3
# More are counted, not kept.
MAX_FAULTS_KEPT = 1000
MAX_LIST_NAME_CHARACTERS = 64
_PROGRESS_EVERY_LINES = 20_000


@dataclass(frozen=True, slots=True)
class ListFile:
    """The content of a list file: the entries that can be applied, and the lines that cannot.

    Attributes:
        entries: The entries of the usable lines.
        faults: The faults of the first refused lines.
        refused: How many lines were refused.
        refused_ids: The ids of the entries on the refused lines, as far as they can be read.
        duplicates: How many lines repeat a line above them.
        warnings: Sentences for the operator.
        sha256: The digest of the file.
    """

    entries: tuple[Entry, ...]
    faults: tuple[LineFault, ...]
    refused: int
    refused_ids: frozenset[str]
    duplicates: int
    warnings: tuple[str, ...]
    sha256: str


def read_list(path: Path, list_name: str, encoding: str = "utf-8", progress: Progress = silent) -> ListFile:
    """Read a list. `progress` counts bytes. Raises InputError when the whole file cannot be used."""
    if not 0 < len(list_name.strip()) <= MAX_LIST_NAME_CHARACTERS:
        raise InputError(
            "list-name",
            f"{list_name!r} is not a name for a list: a name has 1 to {MAX_LIST_NAME_CHARACTERS} characters",
            "name the list after its content, as in --list stolen",
        )
    content = _read_bytes(path)
    _check_encoding(path, content, encoding)
    csv.field_size_limit(MAX_FILE_BYTES)
    lines = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig" if encoding == "utf-8" else encoding, newline="")
    reader = _FileReader(path)
    reader.read(csv.reader(lines, strict=True), list_name, lambda: progress(lines.buffer.tell(), len(content)))
    progress(len(content), len(content))
    if not content.rstrip(b"\0").endswith((b"\n", b"\r")):
        reader.warnings.append("the last line has no line end: is the file whole?")
    return ListFile(
        entries=tuple(reader.entries.values()),
        faults=tuple(reader.faults),
        refused=reader.refused,
        refused_ids=frozenset(reader.refused_ids),
        duplicates=reader.duplicates,
        warnings=tuple(reader.warnings),
        sha256=hashlib.sha256(content).hexdigest(),
    )


# What spreadsheets put between columns where a comma is the decimal point, and what is pasted out of them.
_OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs"}
# The errors of the csv module, in plain words.
_NOT_CSV: Final = {
    "unexpected end of data": "a quote is opened and not closed",
    "',' expected after '\"'": "there is text after a closing quote",
}


class _FileReader:
    """Collects the entries and the faults of a file."""

    def __init__(self, path: Path) -> None:
        self.entries: dict[str, Entry] = {}
        self.faults: list[LineFault] = []
        self.refused = 0
        self.refused_ids: set[str] = set()
        self.duplicates = 0
        self.warnings: list[str] = []
        self._path = path
        self._line_of_entry: dict[str, int] = {}

    def read(self, rows: Any, list_name: str, report_progress: Callable[[], None]) -> None:
        """Read all lines; `rows` is a csv.reader."""
        line = 1  # where the current row begins: a quoted cell may go on for many lines
        try:
            columns: list[str] = next(rows, [])
            _check_columns(columns, self._path)
            parser = EntryParser(columns, list_name)
            line = rows.line_num + 1
            for row in rows:
                if row:
                    self._read_line(parser, row, line)
                line = rows.line_num + 1
                if not line % _PROGRESS_EVERY_LINES:
                    report_progress()
        except csv.Error as error:
            raise InputError(
                "list-not-csv",
                f"{self._path}: not CSV: {_NOT_CSV.get(str(error), error)}, in the entry that begins on line {line}",
                "is the file whole, and is each quote closed? Export it again as comma-separated values",
            ) from None
        if parser.short_plates:
            self.warnings.append(
                f"{parser.short_plates} plates have fewer than {SHORT_PLATE_CHARACTERS} letters and digits "
                f"(the first on line {parser.first_short_plate}): cameras read such texts by chance from other things"
            )

    def _read_line(self, parser: EntryParser, row: list[str], line: int) -> None:
        try:
            entry = parser.parse(row, line)
        except RefusedLineError as refused:
            self._refuse(refused.faults, parser.entry_id_of(row))
            return
        known = self.entries.setdefault(entry.entry_id, entry)
        if known is entry:
            self._line_of_entry[entry.entry_id] = line
        elif known == entry:
            self.duplicates += 1
        else:
            field, value = parser.identifying_cell(row)
            reason = f"line {self._line_of_entry[entry.entry_id]} has the same entry with other values"
            self._refuse([LineFault(line, field, value, reason)], None)

    def _refuse(self, faults: Sequence[LineFault], entry_id: str | None) -> None:
        self.refused += 1
        if entry_id is not None:
            self.refused_ids.add(entry_id)
        if len(self.faults) < MAX_FAULTS_KEPT:
            self.faults += faults


def _read_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputError(
                "list-too-large",
                f"{path}: the file has {size} bytes; a list file may have at most {MAX_FILE_BYTES}",
                "split it into several lists",
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            "file-unreadable", f"{path}: {error.strerror or error}", "name an existing file that you may read"
        ) from None


def _check_encoding(path: Path, content: bytes, encoding: str) -> None:
    """Raise InputError when the file is not in this encoding. It is decoded whole, for the position in the file."""
    is_marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if encoding == "utf-8" and is_marked:
        raise InputError("list-not-utf8", f"{path}: the file begins as UTF-16 does", "use --encoding utf-16")
    if encoding == "utf-16" and not is_marked:
        raise InputError(
            "list-not-utf8", f"{path}: not UTF-16: the file has no byte order mark", "save the file as UTF-8"
        )
    if encoding == "utf-8" and b"\0" in content[:2]:
        raise InputError(
            "list-not-utf8",
            f"{path}: the file looks like UTF-16 without its byte order mark",
            "save the file as UTF-8",
        )
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            "list-not-utf8",
            f"{path}: not {encoding.upper()} at byte {error.start}",
            f"save the file as UTF-8, or name its encoding with --encoding: {', '.join(ENCODINGS)}",
        ) from None


def _check_columns(columns: list[str], path: Path) -> None:
    if not columns:
        raise InputError("list-column-missing", f"{path}: the first line names no column", "is this the right file?")
    for mark, name in _OTHER_SEPARATORS.items():
        if len(columns) == 1 and set(columns[0].split(mark)) <= set(COLUMNS) and mark in columns[0]:
            raise InputError(
                "list-not-csv",
                f"{path}: the columns are separated by {name}, not by commas",
                "export it again as comma-separated values",
            )
    for column in columns:
        if column not in COLUMNS:
            raise InputError(
                "list-unknown-column",
                f"{path}: unknown column {column[:64]!r}; the nearest known one is {nearest(column, COLUMNS)!r}",
                "rename the column or remove it; docs/operators.md lists all columns",
            )
        if columns.count(column) > 1:
            raise InputError("list-column-twice", f"{path}: the column {column!r} occurs twice", "remove one of them")
    for column in ("plate", "valid_until"):
        if column not in columns:
            raise InputError(
                "list-column-missing",
                f"{path}: the column {column!r} is missing",
                "add the column; docs/operators.md explains it",
            )
