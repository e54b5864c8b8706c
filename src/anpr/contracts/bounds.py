"""The bounds of the contracts' values: a record beyond them is refused when it is decoded. Pure.

JSON and the calendar allow values with which nothing can be computed: a moment in the year 9999 has no tomorrow, and
a number of 300 digits no fraction. The published schemas may only be added to, so these bounds stand here and in the
descriptions of the contracts:

- A moment at which something happened lies in the years 1970 to 2199. The validity of an entry may name any moment.
- A number is less than 2**63 away from 0, one of seconds less than 10**12.
- A text has at most 2000 characters and a table or list at most 1000 members, unless its field allows fewer.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from anpr.contracts.moments import in_utc

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
MOST_CHARACTERS: Final = 2000
MOST_MEMBERS: Final = 1000
_INTEGERS: Final = 2**63
_SECONDS: Final = 1e12
# Fields of validity, whose moments are compared and shown with care for the ends of the calendar.
_ANY_MOMENT: Final = frozenset({"valid_from", "valid_until"})


def beyond_bounds(record: Struct) -> str:
    """Return where a record goes beyond the bounds, and how; "" when it does not."""
    return "" if _is_within(record) else next(_faults(record, ""), "")


def _is_within(value: Any) -> bool:
    """Tell whether a value and all that it holds are within the bounds. Quick, because nearly all of them are."""
    kind = type(value)
    if kind is str:
        return len(value) <= MOST_CHARACTERS
    if kind is tuple:
        return len(value) <= MOST_MEMBERS and all(map(_is_within, value))
    if kind is dict:
        return len(value) <= MOST_MEMBERS and all(map(_is_within, value)) and all(map(_is_within, value.values()))
    if isinstance(value, Struct):
        return all(map(_is_within, [getattr(value, name) for name in _field_names(kind)]))
    return value is None or not _fault_of(value)


def _faults(value: Any, path: str) -> Iterator[str]:
    if fault := _fault_of(value):
        yield f"{path}: {fault}"
    for name, member in _members(value):
        yield from _faults(member, f"{path}.{name}".strip("."))


def _fault_of(value: Any) -> str:
    """Return what is wrong with a value itself, "" when nothing is."""
    match value:
        case str() if len(value) > MOST_CHARACTERS:
            return f"a text of more than {MOST_CHARACTERS} characters"
        case datetime() if not EARLIEST <= in_utc(value) < LATEST:
            return f"a moment outside the years {EARLIEST.year} to {LATEST.year - 1}"
        case float() if abs(value) >= _SECONDS:
            return "a number of seconds that is too large"
        case int() if abs(value) >= _INTEGERS:
            return "a number that is too large"
        case tuple() | dict() if len(value) > MOST_MEMBERS:
            return f"more than {MOST_MEMBERS} members"
    return ""


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a value holds, each with a name."""
    match value:
        case Struct():
            yield from ((name, getattr(value, name)) for name in _field_names(type(value)))
        case tuple():
            yield from ((str(number), member) for number, member in enumerate(value))
        case dict():
            yield from (("key", key) for key in value)
            yield from (("value", member) for member in value.values())


# By contract: its fields that have bounds.
_FIELDS: Final[dict[type, tuple[str, ...]]] = {}


def _field_names(contract: type[Struct]) -> tuple[str, ...]:
    if contract not in _FIELDS:
        _FIELDS[contract] = tuple(name for name in contract.__struct_fields__ if name not in _ANY_MOMENT)
    return _FIELDS[contract]
