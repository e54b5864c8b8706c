"""A watchlist as operators write it: one entry a line, CSV with a header.

`plate` and `valid_until` must be given; every other column may be missing. A line that cannot be used is refused by
name (line, field, value, reason) and costs nothing else; a column that is not known refuses the whole file, for a
misspelt `valid_until` would list its plates for ever.
"""

import csv
import difflib
import hashlib
import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from anpr import plates
from anpr.errors import InputError
from anpr.events import DIRECTIONS, HANDLINGS, TOLERANCES, Entry, Generation

# An entry that is not in force yet: the store gives it the generation that puts it there.
UNAPPLIED = Generation(epoch=0, number=0)

_TEXTS = ("country", "category", "reason", "instruction", "owner", "legal_basis", "source", "tolerance", "handling")
_VEHICLE = {"vehicle_kind": "kind", "vehicle_make": "make", "vehicle_colour": "colour"}
# Several values in one cell are separated by a bar: commas and semicolons occur in the texts.
_SEVERAL = ("warnings", "sites", "directions")
COLUMNS = (
    "entry_id",
    "plate",
    *_TEXTS,
    "priority",
    "valid_from",
    "valid_until",
    *_SEVERAL,
    *_VEHICLE,
)
_KNOWN_VALUES = {"tolerance": TOLERANCES, "handling": HANDLINGS, "directions": DIRECTIONS}


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818  a refused line is no failure of the program
    """A line that was not taken, and why."""

    line: int
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.field} {self.value!r}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ListFile:
    """What a file holds: the entries that can be put in force, and the lines that cannot."""

    entries: tuple[Entry, ...]
    refusals: tuple[Refusal, ...]


def read_list(path: Path, list_name: str) -> ListFile:
    """Read a list. Raises InputError when the file as a whole cannot be used."""
    try:
        # Decoded as a whole, so that the place of a wrong byte is its place in the file.
        text = path.read_bytes().decode("utf-8").removeprefix("\ufeff")
        return _read(io.StringIO(text, newline=""), str(path), list_name)
    except OSError as error:
        raise InputError(
            "list-unreadable", f"{path}: {error.strerror or error}", "name a file that is there and that you may read"
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(
            "list-not-utf8", f"{path}: not UTF-8 at byte {error.start}", "save the file as UTF-8"
        ) from None
    except csv.Error as error:
        raise InputError(
            "list-not-csv", f"{path}: not CSV: {error}", "export it again as comma-separated values"
        ) from None


def _read(lines: Iterable[str], path: str, list_name: str) -> ListFile:
    reader = csv.DictReader(lines, strict=True)
    _check_columns(reader.fieldnames, path)
    entries: dict[str, Entry] = {}
    refusals: list[Refusal] = []
    for row in reader:
        try:
            entry = _entry(row, reader.line_num, list_name)
        except Refusal as refusal:
            refusals.append(refusal)
            continue
        if entries.setdefault(entry.entry_id, entry) is not entry:
            refusals.append(
                Refusal(reader.line_num, "entry_id", entry.entry_id, "a line above has this entry already")
            )
    return ListFile(tuple(entries.values()), tuple(refusals))


def _check_columns(columns: Iterable[str] | None, path: str) -> None:
    columns = list(columns or ())
    for column in columns:
        if column not in COLUMNS:
            nearest = difflib.get_close_matches(column, COLUMNS, n=1, cutoff=0)[0]
            raise InputError(
                "list-unknown-column",
                f"{path}: unknown column {column!r}; the nearest known one is {nearest!r}",
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


def _entry(row: dict[str | Any, Any], line: int, list_name: str) -> Entry:
    if None in row:
        raise Refusal(line, "line", str(row[None])[:64], "more cells than the header has columns")
    cells = {column: (cell or "").strip() for column, cell in row.items()}
    plate = plates.canonical(cells["plate"])
    if any(wildcard in unicodedata.normalize("NFKC", cells["plate"]) for wildcard in "?*"):
        raise Refusal(line, "plate", cells["plate"], "patterns are not matched by this version")
    if not plate or len(plate) > plates.MAX_CANONICAL_LENGTH:
        raise Refusal(line, "plate", cells["plate"], f"1 to {plates.MAX_CANONICAL_LENGTH} letters and digits")
    country = cells.get("country") or None
    fields: dict[str, Any] = {
        "entry_id": cells.get("entry_id") or _entry_id(list_name, plate, country or ""),
        "revision": UNAPPLIED,
        "list": list_name,
        "plate": cells["plate"],
        "valid_until": _moment(cells, "valid_until", line, whole_day=True),
        **{column: cells[column] for column in _TEXTS if cells.get(column)},
        **{column: _several(cells[column], column, line) for column in _SEVERAL if cells.get(column)},
    }
    if cells.get("valid_from"):
        fields["valid_from"] = _moment(cells, "valid_from", line, whole_day=False)
        if fields["valid_from"] >= fields["valid_until"]:
            raise Refusal(line, "valid_until", cells["valid_until"], "not after valid_from")
    if cells.get("priority"):
        fields["priority"] = _whole_number(cells["priority"], line)
    vehicle = {name: cells[column] for column, name in _VEHICLE.items() if cells.get(column)}
    if vehicle:
        fields["vehicle"] = vehicle
    return _converted(fields, cells, line)


def _converted(fields: dict[str, Any], cells: dict[str, str], line: int) -> Entry:
    for field, known in _KNOWN_VALUES.items():
        for value in [fields[field]] if isinstance(fields.get(field), str) else fields.get(field, ()):
            if value not in known:
                raise Refusal(line, field, value, f"one of {', '.join(known)} is wanted")
    try:
        return msgspec.convert(fields, Entry)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `$.")
        column = where.rstrip("`").split("[")[0].replace("vehicle.", "vehicle_")
        raise Refusal(line, column, str(cells.get(column, fields.get(column, "")))[:64], reason) from None


def _entry_id(list_name: str, plate: str, country: str) -> str:
    """Return the id of an entry whose file has no column for it: the same for the same plate in the same list."""
    return hashlib.sha256(f"{list_name}\0{plate}\0{country}".encode()).digest()[:16].hex()


def _several(cell: str, column: str, line: int) -> list[str]:
    values = [value.strip() for value in cell.split("|")]
    if not all(values):
        raise Refusal(line, column, cell, "an empty value between bars")
    return values


def _whole_number(cell: str, line: int) -> int:
    if not cell.isascii() or not cell.isdigit() or len(cell) > 9:
        raise Refusal(line, "priority", cell[:64], "a number from 1 (highest) to 5 is wanted")
    return int(cell)


def _moment(cells: dict[str, str], column: str, line: int, *, whole_day: bool) -> datetime:
    """Return the moment in UTC. A date alone is its midnight, or for the end of a validity the whole day."""
    cell = cells[column]
    if not cell:
        raise Refusal(line, column, cell, "it must be given: nothing is listed for ever")
    try:
        if len(cell) == len("2026-12-31"):
            midnight = datetime.combine(date.fromisoformat(cell), datetime.min.time(), UTC)
            return midnight + timedelta(days=1) if whole_day else midnight
        moment = datetime.fromisoformat(cell)
        if moment.tzinfo is None:
            raise Refusal(line, column, cell, "a time needs its offset from UTC, as in 2026-12-31T18:00Z")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(line, column, cell, "a date (2026-12-31) or a time (2026-12-31T18:00Z) is wanted") from None
