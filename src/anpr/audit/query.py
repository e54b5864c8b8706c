"""Which audit records somebody asks for. Pure."""

import re
from datetime import datetime

from msgspec import Struct

from anpr.audit.record import AuditRecord
from anpr.contracts.plates import canonical, canonical_pattern, equivalent, is_pattern, unknown_letters


class AuditQuery(Struct, frozen=True, kw_only=True):
    """The records from `since` until before `until` that fit everything else that is given.

    Attributes:
        plate: A whole plate with a letter or digit. Look-ups of the same vehicle that were typed in another way are
            found, and those of a partial plate that it fits.
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
    """Tell whether a plate in a record is the wanted one, or a partial one that it fits, however each is typed."""
    if unknown_letters(wanted) != unknown_letters(plate):
        return False
    vehicle = equivalent(canonical(wanted))
    if not is_pattern(plate):
        return equivalent(canonical(plate)) == vehicle
    return re.fullmatch(_as_expression(equivalent(canonical_pattern(plate))), vehicle) is not None


def _as_expression(partial: str) -> str:
    """Return a regular expression for a partial plate. Atomic groups: no text makes it slow."""
    first, *others = partial.replace("?", ".").split("*")
    if not others:
        return first
    *middle, last = others
    return first + "".join(f"(?>.*?{part})" for part in middle) + f".*{last}"
