"""The canary: a test plate that goes from camera to screen once a minute, to test the path (docs/adr/0016).

It is a read on a site's reads topic, an entry on a reserved list, and an alert. It never counts as an incident or in
a metric. An alert is a canary only if list, plate *and* camera are the canary's: one alone cannot hide a vehicle.
"""

from datetime import datetime, timedelta
from typing import Final

from anpr.contracts import plates
from anpr.contracts.events import Alert, Entry, Generation, Read

LIST: Final = "canary"
# Longer than the plates of any country, and more than one edit away from every plate.
PLATE: Final = "ANPRCANARY"
CAMERA: Final = "canary"
ENTRY_ID: Final = "canary"
_LISTED_FOR = timedelta(days=90)
_RENEW_BEFORE = timedelta(days=30)


def entry(now: datetime) -> Entry:
    """Return the canary's entry. Like every entry it has an end; it is renewed 30 days before."""
    return Entry(
        entry_id=ENTRY_ID,
        revision=Generation(epoch=0, number=0),
        list=LIST,
        plate=PLATE,
        priority=5,
        reason="Tests the path from camera to screen; no vehicle is meant",
        valid_until=now + _LISTED_FOR,
        tolerance="exact",
        owner="the system itself",
    )


def must_be_listed(listed: Entry | None, now: datetime) -> bool:
    """Return whether the entry must be put on its list, for the first time or again."""
    return listed is None or listed.plate != PLATE or listed.valid_until - now < _RENEW_BEFORE


def read(site: str, now: datetime) -> Read:
    """Return a read of the canary at a site, captured now."""
    return Read(
        read_id=f"canary-{now.timestamp() * 1000:.0f}",
        site=site,
        plate=PLATE,
        camera=CAMERA,
        captured_at=now,
    )


def is_canary_read(read: Read) -> bool:
    """Return whether a read is a canary and not a vehicle."""
    return read.camera == CAMERA and plates.canonical(read.plate) == PLATE


def is_canary(alert: Alert) -> bool:
    """Return whether an alert is a canary and not an incident."""
    return alert.entry.list == LIST and alert.plate == PLATE and is_canary_read(alert.read)
