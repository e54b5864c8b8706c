"""The canary: a reserved plate that goes the whole way once a minute, to show that the way is open (docs/adr/0016).

It is a read on a site's reads topic, an entry of a reserved list, and an alert; and it is no incident, count or
metric anywhere. An alert is a canary only by list, plate *and* camera: none can hide a vehicle by itself.
"""

from datetime import datetime, timedelta
from typing import Final

from anpr.contracts import plates
from anpr.contracts.events import Alert, Entry, Generation, Read

LIST: Final = "canary"
# Longer than any country's plates, and no edit away from one.
PLATE: Final = "ANPRCANARY"
CAMERA: Final = "canary"
ENTRY_ID: Final = "canary"
_LISTED_FOR = timedelta(days=90)
_RENEW_BEFORE = timedelta(days=30)


def entry(now: datetime) -> Entry:
    """Return the canary's entry. Like every entry it ends one day, and is renewed long before."""
    return Entry(
        entry_id=ENTRY_ID,
        revision=Generation(epoch=0, number=0),
        list=LIST,
        plate=PLATE,
        priority=5,
        reason="Tests the way from camera to screen; no vehicle is meant",
        valid_until=now + _LISTED_FOR,
        tolerance="exact",
        owner="the system itself",
    )


def must_be_listed(listed: Entry | None, now: datetime) -> bool:
    """Tell whether the entry must be put on its list, for the first time or again."""
    return listed is None or listed.valid_until - now < _RENEW_BEFORE


def read(site: str, now: datetime) -> Read:
    """Return the canary's read at a site, now."""
    return Read(
        read_id=f"canary-{now.timestamp() * 1000:.0f}",
        site=site,
        plate=PLATE,
        camera=CAMERA,
        captured_at=now,
    )


def is_canary_read(seen: Read) -> bool:
    """Tell whether a read is a canary, and so is no vehicle."""
    return seen.camera == CAMERA and plates.canonical(seen.plate) == PLATE


def is_canary(alert: Alert) -> bool:
    """Tell whether an alert is a canary, and so is no incident."""
    return alert.entry.list == LIST and alert.plate == PLATE and is_canary_read(alert.read)
