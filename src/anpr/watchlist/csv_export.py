"""Writes a list as CSV that is read back as the same entries, and in which a spreadsheet runs nothing."""

import csv
from collections.abc import Iterable
from typing import Any, TextIO

from anpr.contracts.events import Entry
from anpr.runtime.spreadsheet_text import as_cell
from anpr.watchlist.csv_cells import COLUMNS, MULTI_VALUE_COLUMNS, VEHICLE_COLUMNS


def write_list(file: TextIO, entries: Iterable[Entry]) -> None:
    """Write the entries, after a byte order mark: without it spreadsheets read the file as Latin-1.

    `file` must be UTF-8 and leave line ends alone.
    """
    file.write("\ufeff")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows(cells_of(entry).values() for entry in entries)


def cells_of(entry: Entry) -> dict[str, str]:
    """Return an entry as the cells of a line, by column."""
    return {column: _cell(entry, column) for column in COLUMNS}


def _cell(entry: Entry, column: str) -> str:
    if column in VEHICLE_COLUMNS:
        value: Any = getattr(entry.vehicle, VEHICLE_COLUMNS[column]) if entry.vehicle else None
    else:
        value = getattr(entry, column)
    if value is None:
        return ""
    if column in MULTI_VALUE_COLUMNS:
        return as_cell("|".join(value))
    if column in {"valid_from", "valid_until"}:
        return str((getattr(entry, f"{column}_day") or value).isoformat())
    return as_cell(str(value))
