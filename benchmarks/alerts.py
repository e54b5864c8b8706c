"""The alert of a read whose plate is listed as it was read."""

from datetime import datetime

from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert, Entry, Explanation, Read


def exact_alert(read: Read, entry: Entry, raised_at: datetime) -> Alert:
    """Return what a matcher would raise for a read and an entry of the same plate."""
    return Alert(
        alert_id=alert_id(read.identity, entry.entry_id),
        kind="live",
        raised_at=raised_at,
        read=read,
        plate=read.plate,
        tier="exact",
        score=0.98,
        explanation=Explanation(read_as=read.plate, listed_as=read.plate),
        entry=entry,
        generation=entry.revision,
    )
