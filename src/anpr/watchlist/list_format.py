"""How a list file is written: its encoding, and for lists of other systems which of their columns hold ours."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from anpr.contracts.local_days import UTC_DAYS, LocalDays
from anpr.runtime.errors import InputError
from anpr.runtime.nearest import nearest_note
from anpr.watchlist.csv_cells import COLUMNS

_DAY = timedelta(days=1)
_HOW_TO_WRITE = "write COLUMN=HEADER, separated by commas, as in plate=PLATE,country=STATE"


@dataclass(frozen=True, slots=True)
class ListFormat:
    """How to read a list file.

    Attributes:
        encoding: One of `csv_file.ENCODINGS`.
        headers: By column, the header that the file has for it. With any, other columns of the file may be unknown.
        valid_until: The cell of a line that has no `valid_until`, "" when every line must have one.
    """

    encoding: str = "utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    valid_until: str = ""


def parse_columns(texts: Iterable[str]) -> dict[str, str]:
    """Return the header of each column from texts as `plate=PLATE,country=STATE`. Raises InputError.

    A part that holds a comma is written within quotes: `"plate=Reg, No"`.
    """
    headers: dict[str, str] = {}
    for part in (part for row in csv.reader(texts, skipinitialspace=True) for part in row):
        name, equals, header = (text.strip() for text in part.partition("="))
        column = name.lower()
        if not equals or not header:
            raise _refused(f"{part!r} names no column and header", f'{_HOW_TO_WRITE}; quote a comma: "plate=Reg, No"')
        if column not in COLUMNS:
            near = nearest_note(name, COLUMNS, "the nearest known one is")
            raise _refused(f"unknown column {name!r}{near}", f"{_HOW_TO_WRITE}; docs/operators.md lists all columns")
        if column in headers:
            raise _refused(f"the column {column!r} occurs twice", "give each column one header")
        headers[column] = header
    return headers


def end_of_validity(at: datetime, seconds: float, days: LocalDays = UTC_DAYS) -> str:
    """Return the cell of a `valid_until` this long after `at`: the day for whole days, else the time.

    The days are counted from today at the site where the date is the latest: so no site has fewer.

    Raises InputError for a duration that is no time to be valid, or that ends after the last year there is.
    """
    longest = (datetime.max.replace(tzinfo=UTC) - at) // _DAY - 1
    if not 60 <= seconds <= longest * _DAY.total_seconds():
        raise InputError(
            "list-valid-for",
            f"--valid-for: an entry is valid for at least 1m and at most {longest}d from now",
            "give a duration within these bounds, as in --valid-for 30d",
        )
    length = timedelta(seconds=seconds)
    if length % _DAY:
        return f"{(at + length).astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    return (days.latest_date(at) + length).isoformat()


def _refused(reason: str, next_step: str) -> InputError:
    return InputError("list-unknown-column", f"--columns: {reason}", next_step)
