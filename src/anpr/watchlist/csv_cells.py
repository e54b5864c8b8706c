"""The cells of a list file: what each column may hold. Pure.

Reading a cell removes the apostrophe that `anpr.runtime.spreadsheet_text` puts before what a spreadsheet would run,
so a written text is read back unchanged.
"""

import re
from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any, get_type_hints

import msgspec
import msgspec.inspect

from anpr.contracts.country_codes import US_STATES, country_code
from anpr.contracts.events import DIRECTIONS, HANDLINGS, TOLERANCES, Entry, Vehicle
from anpr.contracts.moments import in_utc
from anpr.runtime.nearest import nearest
from anpr.runtime.spreadsheet_text import FORMULA
from anpr.watchlist.nearest_country import nearest_country

TEXT_COLUMNS = (
    "country",
    "category",
    "reason",
    "instruction",
    "owner",
    "legal_basis",
    "source",
    "tolerance",
    "handling",
)
VEHICLE_COLUMNS = {"vehicle_kind": "kind", "vehicle_make": "make", "vehicle_colour": "colour"}
# Several values in one cell are separated by a bar: commas and semicolons occur in the texts.
MULTI_VALUE_COLUMNS = ("warnings", "sites", "directions")
COLUMNS = (
    "entry_id",
    "plate",
    *TEXT_COLUMNS,
    "priority",
    "valid_from",
    "valid_until",
    *MULTI_VALUE_COLUMNS,
    *VEHICLE_COLUMNS,
)

_KNOWN_VALUES = {"tolerance": TOLERANCES, "handling": HANDLINGS, "directions": DIRECTIONS}
_TYPES = get_type_hints(Entry, include_extras=True) | {
    column: get_type_hints(Vehicle, include_extras=True)[field] for column, field in VEHICLE_COLUMNS.items()
}
# White space, and marks that are not seen.
_IS_UNSEEN = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_UNSEEN = "".join(filter(_IS_UNSEEN.match, map(chr, range(0x10000))))
_SHOWN_CHARACTERS = 64
# More than all sites have together. A cell may be as long as the file.
_COMPARED_CHARACTERS = 1024
# What people write between values in place of the bar. Sites and directions hold none of them.
_OTHER_SEPARATORS = re.compile(r"[,;/\\+&\s]+")
_MEANS_ALL = frozenset(["*", "all", "any", "both", "each", "every", "alle", "tous", "toutes", "wszystkie"])
_TIME_WANTED = "must be a date (2026-12-31) or a time (2026-12-31T18:00Z)"
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HAS_TIME = re.compile("[0-9-]+[Tt ]")
# 46022 or 46022.75: how spreadsheets count days.
_SERIAL_DAY = re.compile("[0-9]{5}(?:[.,][0-9]+)?")
_PRIORITY_WANTED = "must be a number from 1 (highest) to 5"


class InvalidCellError(Exception):
    """A cell that cannot be used: the value that is wrong, and the reason."""

    def __init__(self, value: str, reason: str) -> None:
        """Keep the beginning of the value: it may be as long as the file."""
        super().__init__(reason)
        self.value = value[:_SHOWN_CHARACTERS]
        self.reason = reason


def as_text(cell: str) -> str:
    """Return a cell without spaces around it and without the mark that makes it text to a spreadsheet.

    Marks that are not seen (zero-width, direction of writing) count as spaces: they come with a copied text.
    """
    cell = cell.strip() if cell.isascii() else cell.strip(_UNSEEN)
    return cell[1:] if cell[:1] == "'" and FORMULA.match(cell) else cell


def converter(column: str, sites: Collection[str] | None = None) -> Callable[[str], Any]:
    """Return a function from a cell of this column to the value of its field, None for an empty cell.

    It raises InvalidCellError. `sites` are those of the configuration; None where any will do.
    """
    known = sites if column == "sites" else _KNOWN_VALUES.get(column)
    if column == "valid_until":
        return lambda cell: _parse_time(cell, "must be given: no entry is listed for ever")
    if column == "valid_from":
        return _parse_time
    return lambda cell: _value(column, as_text(cell), known)


def parse_country(text: str) -> str:
    """Return a country's code of two letters, also for another code of the country. Raises InvalidCellError."""
    if country := country_code(text):
        return country
    near = nearest_country(text)
    if text.upper() in US_STATES:
        near = "US, if the state of the United States is meant"
    raise InvalidCellError(
        text,
        "must be the code of a country, as GB, GBR or PL (ISO 3166), its sign, as D, or its name, as Germany"
        + (f"; the nearest is {near}" if near else ""),
    )


def parse_entry_id(cell: str) -> str:
    """Return an entry id. Raises InvalidCellError."""
    text = as_text(cell)
    if "\0" in text:
        raise InvalidCellError(text, "contains a NUL character")
    return text if 0 < len(text) <= 128 else _checked("entry_id", text, text)


def _value(column: str, text: str, known: Collection[str] | None) -> Any:
    if not text:
        return None
    if "\0" in text:
        raise InvalidCellError(text, "contains a NUL character")
    value: Any = parse_country(text) if column == "country" else text
    if column == "priority":
        value = _whole_number(text)
    elif column in MULTI_VALUE_COLUMNS:
        value = tuple(part.strip() for part in text.split("|"))
        if not all(value):
            raise InvalidCellError(text, "has an empty value between bars")
    if known:
        for choice in value if column in MULTI_VALUE_COLUMNS else [value]:
            if choice not in known:
                raise InvalidCellError(choice, _unknown(column, choice, known))
    return _checked(column, value, text)


def _unknown(column: str, choice: str, known: Collection[str]) -> str:
    """Return why a value is refused: it is none of the known ones."""
    reason = f"must be one of {', '.join(known)}"
    choice = choice[:_COMPARED_CHARACTERS]
    if near := nearest(choice, known):
        return f"{reason}; the nearest is {near!r}"
    parts = [part.strip() for part in _OTHER_SEPARATORS.split(choice) if part.strip()]
    if column in MULTI_VALUE_COLUMNS and len(parts) > 1:
        meant = [part if part in known else nearest(part, known) for part in parts]
        if (named := {part for part in meant if part}) and len(named) == 1 and " ".join(parts) == choice:
            return f"{reason}; the nearest is {named.pop()!r}"  # Port of Calais
        as_in = "|".join(meant) if all(meant) else "|".join(list(known)[:2])
        return f"{reason}; a bar separates several, as in {as_in}"
    return f"{reason}; an empty cell means all" if choice.casefold() in _MEANS_ALL else reason


def _checked(column: str, value: Any, text: str) -> Any:
    """Return the value if the contract allows it in this field."""
    try:
        return msgspec.convert(value, _TYPES[column])
    except msgspec.ValidationError as error:
        raise InvalidCellError(text, _exceeded_limit(column, value) or str(error).partition(" - at `$")[0]) from None


def _exceeded_limit(column: str, value: Any) -> str | None:
    """Return the limit of the contract that a value exceeds, in words."""
    kind = msgspec.inspect.type_info(_TYPES[column])
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    for kind in kinds:
        if isinstance(kind, msgspec.inspect.IntType):
            return _PRIORITY_WANTED
        if isinstance(kind, msgspec.inspect.VarTupleType) and isinstance(kind.item_type, msgspec.inspect.StrType):
            if kind.max_length is not None and len(value) > kind.max_length:
                return f"has more than {kind.max_length} values between bars: {len(value)}"
            return _too_long(kind.item_type, max(value, key=len))
        if isinstance(kind, msgspec.inspect.StrType):
            return _too_long(kind, value)
    return None


def _too_long(kind: msgspec.inspect.StrType, text: str) -> str | None:
    if kind.max_length is None or len(text) <= kind.max_length:
        return None
    return f"is longer than {kind.max_length} characters: it has {len(text)}"


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidCellError(text, _PRIORITY_WANTED)
    return int(text)


def _parse_time(cell: str, if_empty: str = "") -> date | None:
    """Return a day as a date, a time as a datetime in UTC."""
    text = as_text(cell)
    if not text and not if_empty:
        return None
    if not text:
        raise InvalidCellError(text, if_empty)
    if _SERIAL_DAY.fullmatch(text):
        raise InvalidCellError(text, f"{_TIME_WANTED}: a spreadsheet has made a number of it")
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        parsed = datetime.fromisoformat(text)
        # To the library 20261231 is a date, which is half a typing mistake, and 2026-12-31+02:00 is two o'clock.
        if not _HAS_TIME.match(text) or (":" not in text and parsed.tzinfo is None):
            raise InvalidCellError(text, _TIME_WANTED)
        if parsed.tzinfo is None and not any(parsed.timetuple()[3:6]):  # as programs write a date
            raise InvalidCellError(text, f"{_TIME_WANTED}: for the day, leave {text[10:].strip(' T')} out")
        if parsed.tzinfo is None:
            raise InvalidCellError(text, "a time needs its offset from UTC, as in 2026-12-31T18:00Z")
        return in_utc(parsed)
    except ValueError:
        no_such_day = ": there is no such day" if _DATE.fullmatch(text) else ""
        raise InvalidCellError(text, f"{_TIME_WANTED}{no_such_day}") from None
