"""Reads a list as operators write it: a CSV file with a header and one entry a line.

`plate` and `valid_until` must be given; every other column may be missing. A line that cannot be used is refused with
its number, field, value and reason, and the other lines are read all the same. An unknown column refuses the whole
file, because a misspelt `valid_until` would list its plates for ever; in a list of another system, whose columns the
operator names, it is left out and reported. The encoding is never guessed: it is UTF-8, or the one that the operator
names.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from anpr.contracts.events import NO_GENERATION, Entry
from anpr.contracts.local_days import UTC_DAYS
from anpr.runtime.errors import InputError
from anpr.watchlist.csv_cells import COLUMNS
from anpr.watchlist.csv_header import Header, is_empty, notes_on, read_header, separator_of
from anpr.watchlist.csv_line import EntryParser, LineFault, RefusedLineError
from anpr.watchlist.entry_identity import is_same_but_for_spelling
from anpr.watchlist.file_kind import check_is_text
from anpr.watchlist.list_context import ListContext, never_ringing, without_end
from anpr.watchlist.list_encoding import ENCODINGS, check_encoding
from anpr.watchlist.list_format import ListFormat
from anpr.watchlist.progress import Progress, silent

__all__ = ["COLUMNS", "ENCODINGS", "NO_GENERATION", "LineFault", "ListFile", "read_list"]

# A file is held in memory while it is read, beside its entries.
MAX_FILE_BYTES = 2 * 1024**3
# More are counted, not kept.
MAX_FAULTS_KEPT = 1000
MAX_LIST_NAME_CHARACTERS = 64
_PROGRESS_EVERY_LINES = 20_000
# Enough for the longest header, and for what spreadsheets write before it.
_HEADER_CHARACTERS = 4096
_OUR_OWN = ListFormat()


@dataclass(frozen=True, slots=True)
class ListFile:
    """The content of a list file: the entries that can be applied, and the lines that cannot.

    Attributes:
        entries: The entries of the usable lines.
        faults: The faults of the first refused lines.
        refused: How many lines were refused.
        refused_ids: The ids of the entries on the refused lines, as far as they can be read.
        duplicates: How many lines repeat a line above them, perhaps with another spelling of the plate.
        superseded: How many lines had ended, and gave way to a later line of the same entry.
        never_rings: How many entries are valid, but no read can match them.
        warnings: Sentences for the operator.
        sha256: The digest of the file.
    """

    entries: tuple[Entry, ...]
    faults: tuple[LineFault, ...]
    refused: int
    refused_ids: frozenset[str]
    duplicates: int
    superseded: int
    never_rings: int
    warnings: tuple[str, ...]
    sha256: str


def read_list(
    path: Path,
    list_name: str,
    list_format: ListFormat = _OUR_OWN,
    progress: Progress = silent,
    context: ListContext | None = None,
) -> ListFile:
    """Read a list. `progress` counts bytes. Raises InputError when the whole file cannot be used.

    Without a context an entry may name any site, no entry has ended, and days are those of UTC.
    """
    _check_name(list_name)
    content = _read_bytes(path)
    check_is_text(content, str(path))
    encoding = list_format.encoding
    notes = check_encoding(str(path), content, encoding)
    csv.field_size_limit(MAX_FILE_BYTES)
    lines = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig" if encoding == "utf-8" else encoding, newline="")
    start = lines.read(_HEADER_CHARACTERS)
    lines.seek(0)
    separator = separator_of(start, str(path), list_format)
    rows = csv.reader(lines, strict=True, delimiter=separator)
    reader = _FileReader(path, context)
    header = reader.read(rows, list_name, list_format, lambda: progress(lines.buffer.tell(), len(content)))
    reader.warnings[:0] = [*notes, *notes_on(header, separator, list_format)]
    progress(len(content), len(content))
    if not content.rstrip(b"\0").endswith((b"\n", b"\r")):
        reader.warnings.append("the last line does not end with a line break, so the file may be cut short")
    return reader.result(hashlib.sha256(content).hexdigest())


def read_cells(cells: Mapping[str, str], list_name: str, context: ListContext) -> ListFile:
    """Read one entry, given as its cells by column, as a file of one line would be read. Raises InputError."""
    _check_name(list_name)
    reader = _FileReader(None, context)
    reader.read_rows([(1, list(cells.values()))], EntryParser(list(cells), list_name, context.sites, context.days))
    return reader.result("")


def _check_name(list_name: str) -> None:
    if not 0 < len(list_name.strip()) <= MAX_LIST_NAME_CHARACTERS:
        raise InputError(
            "list-name",
            f"{list_name!r} is not a name for a list: a name has 1 to {MAX_LIST_NAME_CHARACTERS} characters",
            "name the list after its content, as in --list stolen",
        )


# How errors of the csv module end, in plain words.
_NOT_CSV: Final = {
    "unexpected end of data": "a quote is opened and not closed",
    "expected after '\"'": "there is text after a closing quote",
}


class _FileReader:
    """Collects the entries and the faults of a file."""

    def __init__(self, path: Path | None, context: ListContext | None) -> None:
        self.warnings: list[str] = []
        self._path = path
        self._context = context
        self._entries: dict[str, Entry] = {}
        self._faults: list[LineFault] = []
        self._refused = 0
        self._refused_ids: set[str] = set()
        self._duplicates = 0
        self._superseded = 0
        self._never_rings = 0
        self._line_of_entry: dict[str, int] = {}

    def read(self, rows: Any, list_name: str, list_format: ListFormat, report_progress: Callable[[], None]) -> Header:
        """Read all lines, and return the header; `rows` is a csv.reader."""
        self._line = 1  # where the current row begins: a quoted cell may go on for many lines
        try:
            header = read_header(rows, str(self._path), list_format)
            sites, days = (self._context.sites, self._context.days) if self._context else (None, UTC_DAYS)
            parser = EntryParser(header.columns, list_name, sites, days)
            self.read_rows(self._numbered(rows, report_progress), parser, header)
        except csv.Error as error:
            reason = next((words for end, words in _NOT_CSV.items() if str(error).endswith(end)), error)
            raise InputError(
                "list-not-csv",
                f"{self._path}: not CSV: {reason}, in the entry that begins on line {self._line}",
                "is the file whole, and is each quote closed? Export it again as comma-separated values",
            ) from None
        return header

    def _numbered(self, rows: Any, report_progress: Callable[[], None]) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that hold anything, each with the number of its line."""
        self._line = rows.line_num + 1
        for row in rows:
            if not is_empty(row):
                yield self._line, row
            self._line = rows.line_num + 1
            if not self._line % _PROGRESS_EVERY_LINES:
                report_progress()

    def read_rows(
        self, rows: Iterable[tuple[int, list[str]]], parser: EntryParser, header: Header | None = None
    ) -> None:
        """Read these rows, each with the number of its line. Without a header each cell has its column."""
        for line, row in rows:
            self._read_line(parser, header, row, line)
        self.warnings += parser.notes.warnings()
        if self._context:
            entries = self._entries.values()
            self._never_rings, sentences = never_ringing(entries, self._context, self._line_of_entry)
            self.warnings += sentences + without_end(entries, self._context, self._line_of_entry)

    def result(self, sha256: str) -> ListFile:
        """Return all that was read."""
        return ListFile(
            entries=tuple(self._entries.values()),
            faults=tuple(self._faults),
            refused=self._refused,
            refused_ids=frozenset(self._refused_ids),
            duplicates=self._duplicates,
            superseded=self._superseded,
            never_rings=self._never_rings,
            warnings=tuple(self.warnings),
            sha256=sha256,
        )

    def _read_line(self, parser: EntryParser, header: Header | None, row: Sequence[str], line: int) -> None:
        try:
            if header is not None:
                row = header.cells_of(row, line)
            entry = parser.parse(row, line)
        except RefusedLineError as refused:
            self._refuse(refused.faults, parser.entry_id_of(row))
            return
        known = self._entries.get(entry.entry_id)
        has_ended = known is not None and self._context is not None and self._context.has_ended(known)
        if known is not None and is_same_but_for_spelling(known, entry):
            self._duplicates += 1
        elif known is None or has_ended:  # a line that has ended is not applied, so it excludes no other
            self._superseded += has_ended
            self._entries[entry.entry_id] = entry
            self._line_of_entry[entry.entry_id] = line
        else:
            field, value = parser.identifying_cell(row)
            reason = f"line {self._line_of_entry[entry.entry_id]} has the same entry with other values"
            self._refuse([LineFault(line, field, value, reason)], None)

    def _refuse(self, faults: Sequence[LineFault], entry_id: str | None) -> None:
        self._refused += 1
        if entry_id is not None:
            self._refused_ids.add(entry_id)
        if len(self._faults) < MAX_FAULTS_KEPT:
            self._faults += faults


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
