"""A watchlist as operators write it: one entry a line, CSV with a header.

`plate` and `valid_until` must be given; every other column may be missing. A line that cannot be used is refused by
name (line, field, value, reason) and costs nothing else; a column that is not known refuses the whole file, for a
misspelt `valid_until` would list its plates for ever. What a file is written in is never guessed: it is UTF-8, or
what its reader says that it is.
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
MAX_REFUSALS_KEPT = 1000
MAX_LIST_NAME_CHARACTERS = 64
_TELL_EVERY_LINES = 20_000


@dataclass(frozen=True, slots=True)
class ListFile:
    """What a file holds: the entries that can be put in force, and the lines that cannot.

    `refused` counts all refused lines, `refusals` are the faults of the first of them, and `refused_ids` the entries
    that they are about, as far as they say so. `duplicates` counts lines that say again what a line above them says.
    """

    entries: tuple[Entry, ...]
    refusals: tuple[LineFault, ...]
    refused: int
    refused_ids: frozenset[str]
    duplicates: int
    warnings: tuple[str, ...]
    sha256: str


def read_list(path: Path, list_name: str, encoding: str = "utf-8", progress: Progress = silent) -> ListFile:
    """Read a list. `progress` is told bytes. Raises InputError when the file as a whole cannot be used."""
    if not 0 < len(list_name.strip()) <= MAX_LIST_NAME_CHARACTERS:
        raise InputError(
            "list-name",
            f"{list_name!r} is no name for a list: it has 1 to {MAX_LIST_NAME_CHARACTERS} characters",
            "name the list by what it holds, as in --list stolen",
        )
    content = _content(path)
    _check_encoding(path, content, encoding)
    csv.field_size_limit(MAX_FILE_BYTES)
    lines = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig" if encoding == "utf-8" else encoding, newline="")
    found = _Found(path)
    found.read(csv.reader(lines, strict=True), list_name, lambda: progress(lines.buffer.tell(), len(content)))
    progress(len(content), len(content))
    if not content.rstrip(b"\0").endswith((b"\n", b"\r")):
        found.warnings.append("the last line has no end: is the file whole?")
    return ListFile(
        entries=tuple(found.entries.values()),
        refusals=tuple(found.refusals),
        refused=found.refused,
        refused_ids=frozenset(found.refused_ids),
        duplicates=found.duplicates,
        warnings=tuple(found.warnings),
        sha256=hashlib.sha256(content).hexdigest(),
    )


# What spreadsheets put between columns where a comma is the decimal point, and what is pasted out of them.
_OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabs"}
# What csv says, in the words of whoever wrote the file.
_NOT_CSV: Final = {
    "unexpected end of data": "a quote is opened and not closed",
    "',' expected after '\"'": "text stands behind a closing quote",
}


class _Found:
    """What has been read of a file."""

    def __init__(self, path: Path) -> None:
        self.entries: dict[str, Entry] = {}
        self.refusals: list[LineFault] = []
        self.refused = 0
        self.refused_ids: set[str] = set()
        self.duplicates = 0
        self.warnings: list[str] = []
        self._path = path
        self._line_of: dict[str, int] = {}

    def read(self, rows: Any, list_name: str, tell: Callable[[], None]) -> None:
        """Read all lines; `rows` is a reader of csv."""
        line = 1  # where the row that is read begins: one within quotes may go on for many lines
        try:
            columns: list[str] = next(rows, [])
            _check_columns(columns, self._path)
            reader = EntryParser(columns, list_name)
            line = rows.line_num + 1
            for row in rows:
                if row:
                    self._take(reader, row, line)
                line = rows.line_num + 1
                if not line % _TELL_EVERY_LINES:
                    tell()
        except csv.Error as error:
            raise InputError(
                "list-not-csv",
                f"{self._path}: not CSV: {_NOT_CSV.get(str(error), error)}, in what begins on line {line}",
                "is the file whole, and is each quote closed? Export it again as comma-separated values",
            ) from None
        if reader.short_plates:
            self.warnings.append(
                f"{reader.short_plates} plates have fewer than {SHORT_PLATE_CHARACTERS} letters and digits "
                f"(the first on line {reader.first_short_plate}): they are read by chance out of other things"
            )

    def _take(self, reader: EntryParser, row: list[str], line: int) -> None:
        try:
            entry = reader.entry(row, line)
        except RefusedLineError as refused:
            self._refuse(refused.faults, reader.entry_id(row))
            return
        known = self.entries.setdefault(entry.entry_id, entry)
        if known is entry:
            self._line_of[entry.entry_id] = line
        elif known == entry:
            self.duplicates += 1
        else:
            field, value = reader.said_by(row)
            reason = f"line {self._line_of[entry.entry_id]} has this entry already, and says otherwise"
            self._refuse([LineFault(line, field, value, reason)], None)

    def _refuse(self, faults: Sequence[LineFault], entry_id: str | None) -> None:
        self.refused += 1
        if entry_id is not None:
            self.refused_ids.add(entry_id)
        if len(self.refusals) < MAX_REFUSALS_KEPT:
            self.refusals += faults


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputError(
                "list-too-large",
                f"{path}: {size} bytes; a list has at most {MAX_FILE_BYTES}",
                "split it into several lists",
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            "file-unreadable", f"{path}: {error.strerror or error}", "name a file that is there and that you may read"
        ) from None


def _check_encoding(path: Path, content: bytes, encoding: str) -> None:
    """Raise InputError when the file is not in this encoding. Decoded as a whole, so the place is the file's."""
    is_marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if encoding == "utf-8" and is_marked:
        raise InputError("list-not-utf8", f"{path}: it begins as UTF-16 does", "name it: --encoding utf-16")
    if encoding == "utf-16" and not is_marked:
        raise InputError("list-not-utf8", f"{path}: not UTF-16: it has no byte order mark", "save the file as UTF-8")
    if encoding == "utf-8" and b"\0" in content[:2]:
        raise InputError(
            "list-not-utf8", f"{path}: it looks like UTF-16 without its byte order mark", "save the file as UTF-8"
        )
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            "list-not-utf8",
            f"{path}: not {encoding.upper()} at byte {error.start}",
            f"save the file as UTF-8, or name what it is in with --encoding: {', '.join(ENCODINGS)}",
        ) from None


def _check_columns(columns: list[str], path: Path) -> None:
    if not columns:
        raise InputError("list-column-missing", f"{path}: its first line names no column", "is this the right file?")
    for mark, name in _OTHER_SEPARATORS.items():
        if len(columns) == 1 and set(columns[0].split(mark)) <= set(COLUMNS) and mark in columns[0]:
            raise InputError(
                "list-not-csv",
                f"{path}: its columns are separated by {name}, not by commas",
                "export it again as comma-separated values",
            )
    for column in columns:
        if column not in COLUMNS:
            raise InputError(
                "list-unknown-column",
                f"{path}: unknown column {column[:64]!r}; the nearest known one is {nearest(column, COLUMNS)!r}",
                "rename the column or take it out; docs/operators.md lists all of them",
            )
        if columns.count(column) > 1:
            raise InputError(
                "list-column-twice", f"{path}: the column {column!r} is there twice", "take one of them out"
            )
    for column in ("plate", "valid_until"):
        if column not in columns:
            raise InputError(
                "list-column-missing",
                f"{path}: the column {column!r} is missing",
                "add the column; docs/operators.md says what it holds",
            )
