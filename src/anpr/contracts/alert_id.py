"""The id of an alert: the same from every matcher, so that a repeated alert counts once."""

import hashlib

from anpr.contracts.events import Alert, ReadIdentity


def alert_id(read: ReadIdentity, entry_id: str) -> str:
    """Return the id of the one alert that this read and this entry can raise: 32 hexadecimal digits."""
    return _digest(*read, entry_id)


def has_own_id(alert: Alert) -> bool:
    """Return whether an alert has the id of its own read and entry.

    An earlier version hashed only site, read and entry. Its alerts may still be on a topic; their reads have no
    `claimed_at`.
    """
    read, entry_id = alert.read, alert.entry.entry_id
    if alert.alert_id == alert_id(read.identity, entry_id):
        return True
    return not read.claimed_at and alert.alert_id == _digest(read.site, read.read_id, entry_id)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).digest()[:16].hex()
