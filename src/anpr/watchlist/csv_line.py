"""One line of a list file: from its cells to an entry. Pure."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Any

from anpr.contracts.country_codes import country_code
from anpr.contracts.events import NO_GENERATION, Entry, Vehicle
from anpr.contracts.local_days import UTC_DAYS, LocalDays
from anpr.watchlist.csv_cells import VEHICLE_COLUMNS, InvalidCellError, as_text, converter, parse_entry_id
from anpr.watchlist.entry_identity import entry_id as identity_of
from anpr.watchlist.plate_cell import PlateCell, read_plate_cell
from anpr.watchlist.plate_notes import PlateNotes

# Many lines have the same text in a column. The values of so many texts are kept.
_CACHED_VALUES = 10_000
_NOT_CACHED: Any = object()


@dataclass(frozen=True, slots=True)
class LineFault:
    """A fault for which a line was refused."""

    line: int
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.field} {self.value!r}: {self.reason}"


class RefusedLineError(Exception):
    """A line that cannot be used: its faults, at most one for each field."""

    def __init__(self, *faults: LineFault) -> None:
        """There is at least one fault."""
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class _Column:
    """A column of the file: its position, the field that it fills, and values that were converted before."""

    __slots__ = ("cached", "convert", "field", "name", "position")

    def __init__(self, position: int, name: str, sites: Collection[str] | None) -> None:
        self.position, self.name, self.field = position, name, VEHICLE_COLUMNS.get(name, name)
        self.convert = _CONVERTERS.get(name) or converter(name, sites)
        self.cached: dict[str, Any] = {}


class EntryParser:
    """Turns the lines of one file into entries."""

    def __init__(
        self,
        columns: Sequence[str],
        list_name: str,
        sites: Collection[str] | None = None,
        days: LocalDays = UTC_DAYS,
    ) -> None:
        """`columns` are those of the file: all known, each once. `sites` are all that an entry may name."""
        self.notes = PlateNotes()
        self._list_name = list_name
        self._validity = lru_cache(_CACHED_VALUES)(partial(_validity_fields, days))
        self._cells = len(columns)
        self._plate_position = columns.index("plate")
        self._country_position = columns.index("country") if "country" in columns else None
        self._until_position = columns.index("valid_until")
        self._id_position = columns.index("entry_id") if "entry_id" in columns else None
        self._columns = [_Column(position, name, sites) for position, name in enumerate(columns)]
        self._fields = [column for column in self._columns if column.name not in VEHICLE_COLUMNS | _CONVERTERS]
        self._vehicle = [column for column in self._columns if column.name in VEHICLE_COLUMNS]

    def parse(self, cells: Sequence[str], line: int) -> Entry:
        """Return the entry of a line. Raises RefusedLineError."""
        if len(cells) != self._cells:
            raise RefusedLineError(wrong_cell_count(cells, self._cells, line))
        try:
            plate = self._plate_of(cells)
            fields = _values(self._fields, cells)
            if vehicle := _values(self._vehicle, cells):
                fields["vehicle"] = Vehicle(**vehicle)
            entry_id = _written_id(cells[self._id_position]) if self._id_position is not None else None
        except InvalidCellError:
            raise RefusedLineError(*self._faults(cells, line)) from None
        validity = self._validity(fields.get("valid_from"), fields["valid_until"])
        if validity is None:
            raise RefusedLineError(*self._faults(cells, line))
        fields |= validity
        if plate.country is not None:
            fields["country"] = plate.country
        if entry_id is None:
            entry_id = identity_of(self._list_name, plate.plate, plate.key, fields.get("country"))
        if plate.notes:
            self.notes.add(line, cells[self._plate_position], plate)
        return Entry(entry_id=entry_id, revision=NO_GENERATION, list=self._list_name, plate=plate.plate, **fields)

    def _faults(self, cells: Sequence[str], line: int) -> list[LineFault]:
        """Return the fault of each field, in the order of the columns."""
        faults: list[LineFault] = []
        fields: dict[str, Any] = {}
        for column in self._columns:
            try:
                is_plate = column.position == self._plate_position
                fields[column.name] = self._plate_of(cells) if is_plate else column.convert(cells[column.position])
            except InvalidCellError as invalid:
                faults.append(LineFault(line, column.name, invalid.value, invalid.reason))
        end = fields.get("valid_until")
        if end is not None and self._validity(fields.get("valid_from"), end) is None:
            faults.append(
                LineFault(line, "valid_until", cells[self._until_position].strip(), "must be after valid_from")
            )
        return faults

    def identifying_cell(self, cells: Sequence[str]) -> tuple[str, str]:
        """Return the field of a line that identifies its entry, and its value: the id, or else the plate."""
        if self._id_position is not None and cells[self._id_position].strip():
            return "entry_id", cells[self._id_position].strip()
        return "plate", cells[self._plate_position].strip()

    def entry_id_of(self, cells: Sequence[str]) -> str | None:
        """Return the id of the entry of a refused line, None when it cannot be read."""
        try:
            if self._id_position is not None and (written := _written_id(cells[self._id_position])):
                return written
            plate = self._plate_of(cells)
            country = plate.country or self._country_of(cells)
            return identity_of(self._list_name, plate.plate, plate.key, country)
        except (InvalidCellError, IndexError):
            return None

    def _plate_of(self, cells: Sequence[str]) -> PlateCell:
        """Return the plate of a line. Raises InvalidCellError."""
        return read_plate_cell(cells[self._plate_position], self._country_of(cells))

    def _country_of(self, cells: Sequence[str]) -> str | None:
        """Return the country that a line names, None when it names none or it cannot be read."""
        return None if self._country_position is None else country_code(as_text(cells[self._country_position]))


def _values(columns: Sequence[_Column], cells: Sequence[str]) -> dict[str, Any]:
    """Return by field the values of the cells that are not empty. Raises InvalidCellError."""
    fields: dict[str, Any] = {}
    for column in columns:
        cell = cells[column.position]
        value = column.cached.get(cell, _NOT_CACHED)
        if value is _NOT_CACHED:
            value = column.convert(cell)
            if len(column.cached) < _CACHED_VALUES:
                column.cached[cell] = value
        if value is not None:
            fields[column.field] = value
    return fields


def _validity_fields(days: LocalDays, start: date | None, end: date) -> dict[str, date] | None:
    """Return the fields of a validity from the values of its two cells, None when it ends before it begins.

    A cell that gives a day fills two fields: the day, and the moment that includes it at every site.
    """
    if start is not None and not days.is_ever_valid(start, end):
        return None
    fields: dict[str, date] = {}
    if start is not None and not isinstance(start, datetime):
        fields |= {"valid_from": days.earliest_start_of(start), "valid_from_day": start}
    if not isinstance(end, datetime):
        fields |= {"valid_until": days.latest_end_of(end), "valid_until_day": end}
    return fields


def _written_id(cell: str) -> str | None:
    """Return the id that a line gives its entry, None when it gives none. Raises InvalidCellError."""
    return parse_entry_id(cell) if cell.strip() else None


# The columns whose rules are not in the contract of an entry.
_CONVERTERS: dict[str, Callable[[str], Any]] = {"plate": read_plate_cell, "entry_id": _written_id}


def wrong_cell_count(cells: Sequence[str], columns: int, line: int) -> LineFault:
    """Return the fault of a line that has more or fewer cells than the file has columns."""
    if len(cells) > columns:
        return LineFault(line, "line", str(cells[columns:])[:64], "has more cells than the header has columns")
    return LineFault(
        line, "line", str(list(cells))[:64], "has fewer cells than the header has columns: is the line whole?"
    )
