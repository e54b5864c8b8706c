"""One line of a list: its cells, and the entry that they are."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anpr.contracts import plates
from anpr.contracts.events import NO_GENERATION, Entry, Vehicle
from anpr.watchlist.csv_cells import VEHICLE, WrongCell, as_text, converter, identifier

# A pattern that fixes fewer characters than this would match a good part of the traffic.
MIN_FIXED_CHARACTERS = 3
MAX_PLATE_CHARACTERS = 64
# A plate with fewer characters is read by chance out of others, and out of what is no plate.
SHORT_PLATE_CHARACTERS = 4
# Texts of a column are often the same in many lines; so many of them are kept ready.
_KEPT_READY = 10_000
_NOT_READY: Any = object()


@dataclass(frozen=True, slots=True)
class LineFault:
    """A fault for which a line was not taken."""

    line: int
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.field} {self.value!r}: {self.reason}"


class RefusedLineError(Exception):
    """A line that was not taken: its faults, at most one for each field."""

    def __init__(self, *faults: LineFault) -> None:
        """There is one at least."""
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


class _Column:
    """A column of the file: where it stands, the field that it fills, and what is ready of it."""

    __slots__ = ("at", "convert", "field", "name", "ready")

    def __init__(self, at: int, name: str, field: str) -> None:
        self.at, self.name, self.field = at, name, field
        self.convert = _CONVERTERS.get(name) or converter(name)
        self.ready: dict[str, Any] = {}


class EntryParser:
    """Makes entries of the lines of one file."""

    def __init__(self, columns: Sequence[str], list_name: str) -> None:
        """`columns` are the file's, known ones, each once."""
        self.short_plates = 0
        self.first_short_plate = 0
        self._list_name = list_name
        self._width = len(columns)
        self._plate_at = columns.index("plate")
        self._country_at = columns.index("country") if "country" in columns else None
        self._until_at = columns.index("valid_until")
        self._id_at = columns.index("entry_id") if "entry_id" in columns else None
        self._columns = [_Column(at, name, VEHICLE.get(name, name)) for at, name in enumerate(columns)]
        self._fields = [one for one in self._columns if one.name not in VEHICLE | _CONVERTERS]
        self._vehicle = [one for one in self._columns if one.name in VEHICLE]

    def entry(self, cells: Sequence[str], line: int) -> Entry:
        """Return the entry of a line. Raises BadLine."""
        if len(cells) != self._width:
            raise RefusedLineError(_wrong_width(cells, self._width, line))
        try:
            plate, key = plate_and_key(cells[self._plate_at])
            fields = _values(self._fields, cells)
            if vehicle := _values(self._vehicle, cells):
                fields["vehicle"] = Vehicle(**vehicle)
            entry_id = _written_id(cells[self._id_at]) if self._id_at is not None else None
        except WrongCell:
            raise RefusedLineError(*self._faults(cells, line)) from None
        if _ends_too_early(fields):
            raise RefusedLineError(*self._faults(cells, line))
        if entry_id is None:
            entry_id = _entry_id(self._list_name, key, fields.get("country", ""))
        if len(key) < SHORT_PLATE_CHARACTERS:
            self.short_plates += 1
            self.first_short_plate = self.first_short_plate or line
        return Entry(entry_id=entry_id, revision=NO_GENERATION, list=self._list_name, plate=plate, **fields)

    def _faults(self, cells: Sequence[str], line: int) -> list[LineFault]:
        """Return what is wrong with each field, in the order of the columns."""
        found: list[LineFault] = []
        fields: dict[str, Any] = {}
        for column in self._columns:
            try:
                fields[column.name] = column.convert(cells[column.at])
            except WrongCell as wrong:
                found.append(LineFault(line, column.name, wrong.value, wrong.reason))
        if _ends_too_early(fields):
            found.append(LineFault(line, "valid_until", cells[self._until_at].strip(), "not after valid_from"))
        return found

    def said_by(self, cells: Sequence[str]) -> tuple[str, str]:
        """Return which field of a line says which entry it is, and its value: the id, or the plate without one."""
        if self._id_at is not None and cells[self._id_at].strip():
            return "entry_id", cells[self._id_at].strip()
        return "plate", cells[self._plate_at].strip()

    def entry_id(self, cells: Sequence[str]) -> str | None:
        """Return the id of the entry that a refused line is about, as far as it says so."""
        try:
            if self._id_at is not None and (written := _written_id(cells[self._id_at])):
                return written
            country = plates.country_of(cells[self._country_at].strip()) if self._country_at is not None else ""
            return _entry_id(self._list_name, plate_and_key(cells[self._plate_at])[1], country)
        except (WrongCell, IndexError):
            return None


def _values(columns: Sequence[_Column], cells: Sequence[str]) -> dict[str, Any]:
    """Return by field what the cells hold, without those that leave it out. Raises WrongCell."""
    fields: dict[str, Any] = {}
    for column in columns:
        cell = cells[column.at]
        value = column.ready.get(cell, _NOT_READY)
        if value is _NOT_READY:
            value = column.convert(cell)
            if len(column.ready) < _KEPT_READY:
                column.ready[cell] = value
        if value is not None:
            fields[column.field] = value
    return fields


def _ends_too_early(fields: Mapping[str, Any]) -> bool:
    begin, end = fields.get("valid_from"), fields.get("valid_until")
    return begin is not None and end is not None and begin >= end


def _written_id(cell: str) -> str | None:
    """Return the id that a line gives its entry, None when it gives none. Raises WrongCell."""
    return identifier(cell) if cell.strip() else None


def plate_and_key(cell: str) -> tuple[str, str]:
    """Return the plate or pattern as written, and what makes two of them the same. Raises WrongCell."""
    text = as_text(cell)
    if plates.is_pattern(text):
        key = plates.canonical_pattern(text)
        fixed = len(key) - key.count("?") - key.count("*")
        if fixed < MIN_FIXED_CHARACTERS:
            raise WrongCell(text, f"a pattern needs at least {MIN_FIXED_CHARACTERS} letters or digits")
    else:
        key = plates.canonical(text)
    # Left out, a letter would make the plates that differ in it one.
    if unknown := plates.unknown_letters(text):
        raise WrongCell(text, f"no table knows a Latin letter for {unknown[:8]!r}: write the plate in Latin letters")
    if not key or len(key) > plates.MAX_CANONICAL_LENGTH:
        raise WrongCell(text, f"a plate has 1 to {plates.MAX_CANONICAL_LENGTH} letters and digits")
    if len(text) > MAX_PLATE_CHARACTERS:
        raise WrongCell(text, f"longer than {MAX_PLATE_CHARACTERS} characters: it has {len(text)}")
    return text, key


# What the contract of an entry does not say by itself.
_CONVERTERS: dict[str, Callable[[str], Any]] = {"plate": plate_and_key, "entry_id": _written_id}


def _entry_id(list_name: str, key: str, country: str) -> str:
    """Return the id of an entry whose file has no column for it: the same for the same plate in the same list."""
    return hashlib.sha256(f"{list_name}\0{key}\0{country}".encode()).digest()[:16].hex()


def _wrong_width(cells: Sequence[str], width: int, line: int) -> LineFault:
    if len(cells) > width:
        return LineFault(line, "line", str(cells[width:])[:64], "more cells than the header has columns")
    return LineFault(
        line, "line", str(list(cells))[:64], "fewer cells than the header has columns: is the line whole?"
    )
