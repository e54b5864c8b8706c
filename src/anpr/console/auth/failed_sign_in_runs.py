"""The sign-ins that failed, as an auditor reads them: the last record of each run of failures. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from anpr.audit.record import AuditEvent, AuditRecord
from anpr.console.auth.failed_sign_ins import WITHIN

# In the details of a failed sign-in: where it came from, and how often it had failed by then or more.
ADDRESS: Final = "address"
TIMES: Final = "times"


def is_failed_sign_in(event: AuditEvent) -> bool:
    """Tell whether an event is a sign-in that failed."""
    return event.operation == "sign-in" and event.details.get(TIMES, "").isdecimal()


def last_of_each_run(records: Iterable[AuditRecord]) -> list[AuditRecord]:
    """Return the last record of each run of failures by one name from one address. Records come newest first."""
    last: list[AuditRecord] = []
    newer: dict[tuple[str, str], tuple[datetime, int]] = {}
    for record in records:
        if not is_failed_sign_in(record.event):
            continue
        times = int(record.event.details[TIMES])
        key = record.event.user, record.event.details.get(ADDRESS, "")
        after_at, after_times = newer.get(key, (record.at, 0))
        newer[key] = record.at, times
        if after_times <= times or after_at - record.at >= WITHIN:
            last.append(record)
    return last
