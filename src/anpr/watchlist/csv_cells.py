"""A cell of a list as text, and back: what each column may hold, and what a spreadsheet must not run.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@` or a tab for a formula. An apostrophe before it marks
the cell as text; a spreadsheet hides it. Such a mark is taken off when a cell is read and put on when it is written,
so that what is written reads back to the same.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_type_hints

import msgspec
import msgspec.inspect

from anpr.contracts.events import DIRECTIONS, HANDLINGS, TOLERANCES, Entry, Vehicle
from anpr.contracts.plates import country_of
from anpr.reference_data import tables

TEXTS = ("country", "category", "reason", "instruction", "owner", "legal_basis", "source", "tolerance", "handling")
VEHICLE = {"vehicle_kind": "kind", "vehicle_make": "make", "vehicle_colour": "colour"}
# Several values in one cell are separated by a bar: commas and semicolons occur in the texts.
SEVERAL = ("warnings", "sites", "directions")
COLUMNS = ("entry_id", "plate", *TEXTS, "priority", "valid_from", "valid_until", *SEVERAL, *VEHICLE)

_KNOWN_VALUES = {"tolerance": TOLERANCES, "handling": HANDLINGS, "directions": DIRECTIONS}
_TYPES = get_type_hints(Entry, include_extras=True) | {
    column: get_type_hints(Vehicle, include_extras=True)[field] for column, field in VEHICLE.items()
}
# The wide forms count too: some spreadsheets take them for the narrow ones.
_FORMULA = re.compile("'*[=+\\-@\t\r＝＋－＠]")  # noqa: RUF001  the wide forms are meant
_SHOWN_CHARACTERS = 64
_PRIORITY = "a number from 1 (highest) to 5 is wanted"


class WrongCell(Exception):  # noqa: N818  it costs a line, no more
    """A cell that cannot be used: what of it is wrong, and why."""

    def __init__(self, value: str, reason: str) -> None:
        """Keep the beginning of the value: it may be as long as the file."""
        super().__init__(reason)
        self.value = value[:_SHOWN_CHARACTERS]
        self.reason = reason


def as_text(cell: str) -> str:
    """Return a cell without spaces around it and without the mark that makes it text to a spreadsheet."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def as_cell(text: str) -> str:
    """Return the text so that no spreadsheet runs it."""
    return f"'{text}" if _FORMULA.match(text) else text


def converter(column: str) -> Callable[[str], Any]:
    """Return what makes a cell of this column the value of its field; None where the cell leaves it out.

    It raises WrongCell.
    """
    if column == "valid_until":
        return lambda cell: _moment(cell, "it must be given: nothing is listed for ever", whole_day=True)
    if column == "valid_from":
        return lambda cell: _moment(cell, whole_day=False)
    return lambda cell: _value(column, as_text(cell))


def country(text: str) -> str:
    """Return a country's code, its own for an alias, or say which one was probably meant. Raises WrongCell."""
    if re.fullmatch("[A-Z]{2}", text):
        return country_of(text)
    wanted = "two capital letters are wanted, as GB or PL (ISO 3166)"
    meant = _country_meant(text.upper())
    raise WrongCell(text, f"{wanted}; {meant} was probably meant" if meant else wanted)


def _country_meant(text: str) -> str | None:
    """Return the country of which this is the code in other letters, the badge, or the code of three letters."""
    countries = tables.load("countries")
    of_badges = {badge: name for name, syntax in countries.items() for badge in syntax["badges"]}
    begin = text[:2] if len(text) == 3 else text
    return of_badges.get(text) or (begin if begin in countries else None)


def identifier(cell: str) -> str:
    """Return an entry id. Raises WrongCell."""
    text = as_text(cell)
    if "\0" in text:
        raise WrongCell(text, "a NUL character is in it")
    return text if 0 < len(text) <= 128 else _checked("entry_id", text, text)


def _value(column: str, text: str) -> Any:
    if not text:
        return None
    if "\0" in text:
        raise WrongCell(text, "a NUL character is in it")
    value: Any = country(text) if column == "country" else text
    if column == "priority":
        value = _whole_number(text)
    elif column in SEVERAL:
        value = tuple(one.strip() for one in text.split("|"))
        if not all(value):
            raise WrongCell(text, "an empty value between bars")
    if known := _KNOWN_VALUES.get(column):
        for one in value if column in SEVERAL else [value]:
            if one not in known:
                raise WrongCell(one, f"one of {', '.join(known)} is wanted")
    return _checked(column, value, text)


def _checked(column: str, value: Any, text: str) -> Any:
    """Return the value if the contract allows it in this field."""
    try:
        return msgspec.convert(value, _TYPES[column])
    except msgspec.ValidationError as error:
        raise WrongCell(text, _too_much(column, value) or str(error).partition(" - at `$")[0]) from None


def _too_much(column: str, value: Any) -> str | None:
    """Say which limit of the contract a value is beyond, in words."""
    kind = msgspec.inspect.type_info(_TYPES[column])
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    for kind in kinds:
        if isinstance(kind, msgspec.inspect.IntType):
            return _PRIORITY
        if isinstance(kind, msgspec.inspect.VarTupleType) and isinstance(kind.item_type, msgspec.inspect.StrType):
            if kind.max_length is not None and len(value) > kind.max_length:
                return f"more than {kind.max_length} values between bars: it has {len(value)}"
            return _too_long(kind.item_type, max(value, key=len))
        if isinstance(kind, msgspec.inspect.StrType):
            return _too_long(kind, value)
    return None


def _too_long(kind: msgspec.inspect.StrType, text: str) -> str | None:
    if kind.max_length is None or len(text) <= kind.max_length:
        return None
    return f"longer than {kind.max_length} characters: it has {len(text)}"


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise WrongCell(text, _PRIORITY)
    return int(text)


def _moment(cell: str, if_empty: str = "", *, whole_day: bool) -> datetime | None:
    """Return the moment in UTC. A date alone is its midnight, or for the end of a validity the whole day."""
    text = as_text(cell)
    if not text and not if_empty:
        return None
    if not text:
        raise WrongCell(text, if_empty)
    try:
        if len(text) == len("2026-12-31"):
            midnight = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return midnight + timedelta(days=1) if whole_day else midnight
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise WrongCell(text, "a time needs its offset from UTC, as in 2026-12-31T18:00Z")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongCell(text, "a date (2026-12-31) or a time (2026-12-31T18:00Z) is wanted") from None
