"""Which audit records somebody asks for. Pure."""

import re
from datetime import datetime

from msgspec import Struct

from anpr.audit.record import AuditRecord


class AuditQuery(Struct, frozen=True, kw_only=True):
    """The records from `since` until before `until` that fit everything else that is given.

    Attributes:
        plate: A whole plate. Look-ups of a partial plate that it fits are found, too.
        covert: Whether the asker may see covert records.
    """

    since: datetime
    until: datetime
    user: str = ""
    plate: str = ""
    operation: str = ""
    covert: bool = False

    def fits(self, record: AuditRecord) -> bool:
        """Tell whether a record is asked for, and the asker may see it."""
        event = record.event
        return (
            self.since <= record.at < self.until
            and (self.covert or not event.covert)
            and self.user in {"", event.user}
            and self.operation in {"", event.operation}
            and (not self.plate or _is_about(self.plate, event.plate))
        )


def _is_about(wanted: str, plate: str) -> bool:
    if not any(mark in plate for mark in "?*"):
        return _letters(plate) == _letters(wanted)
    return re.fullmatch(_as_expression(plate), _letters(wanted)) is not None


def _as_expression(partial: str) -> str:
    """Return a regular expression for a partial plate. Atomic groups: no text makes it slow."""
    parts = [
        "".join("." if mark == "?" else mark for mark in part.upper() if mark.isalnum() or mark == "?")
        for part in partial.split("*")
    ]
    first, *middle, last = parts if len(parts) > 1 else (parts[0], "")
    return first + "".join(f"(?>.*?{part})" for part in middle) + (f".*{last}" if len(parts) > 1 else "")


def _letters(plate: str) -> str:
    return "".join(mark for mark in plate.upper() if mark.isalnum())
