"""The health of a site as a board knows it: its matchers, and its newest canary. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from anpr.contracts.events import Status

# Why nothing is known of a site yet whose topics are still being read.
NOT_READ_YET: Final = "its topics have not been read to their end yet"


@dataclass(frozen=True, slots=True)
class SiteHealth:
    """The health of a site.

    Attributes:
        site: Its name.
        matchers: The newest status of each of its matchers.
        heard_at: When a status was last received from the site; None if never.
        is_silent: Whether the last status is too long ago.
        why_silent: Why nothing is received, as far as this machine can tell.
        clocks_ahead: By matcher, how far its clock is ahead of the one here; negative when it is behind, or when its
            statuses come late.
    """

    site: str
    matchers: tuple[Status, ...]
    heard_at: datetime | None
    is_silent: bool
    why_silent: str = ""
    clocks_ahead: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Canary:
    """The newest canary of a site: when it was sent, and when its alert came here."""

    sent_at: datetime
    came_at: datetime


@dataclass(frozen=True, slots=True)
class CalibratedCamera:
    """A camera whose confidence is calibrated: by how many reads, which arrived when, and when it was applied."""

    camera: str
    reads: int
    since: datetime
    until: datetime
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClockSet:
    """Somebody has set the clock of this machine: what it showed then, and by how much it was set; negative: back."""

    at: datetime
    by: timedelta
