"""The end of an entry's validity, decoded from a stored entry without its other fields."""

from datetime import date, datetime

from msgspec import Struct


class ValidityEnd(Struct, frozen=True):
    """An entry and when its validity ends."""

    entry_id: str
    valid_until: datetime
    valid_until_day: date | None = None
