"""A list as CSV that reads back to the same entries, and that no spreadsheet runs."""

import csv
from collections.abc import Iterable
from typing import Any, TextIO

from anpr.contracts.events import Entry
from anpr.watchlist.csv_cells import COLUMNS, SEVERAL, VEHICLE, as_cell


def write_list(file: TextIO, entries: Iterable[Entry]) -> None:
    """Write the entries. The file begins with a byte order mark, without which spreadsheets take it for Latin-1.

    `file` is UTF-8 and leaves line ends alone.
    """
    file.write("\ufeff")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(entry, column) for column in COLUMNS] for entry in entries)


def _cell(entry: Entry, column: str) -> str:
    if column in VEHICLE:
        value: Any = getattr(entry.vehicle, VEHICLE[column]) if entry.vehicle else None
    else:
        value = getattr(entry, column)
    if value is None:
        return ""
    if column in SEVERAL:
        return as_cell("|".join(value))
    if column in {"valid_from", "valid_until"}:
        return str(value.isoformat())
    return as_cell(str(value))
