"""What a board knows of the health of a site: its matchers, and its last canary. Pure."""

from dataclasses import dataclass
from datetime import datetime

from anpr.contracts.events import Status


@dataclass(frozen=True, slots=True)
class SiteHealth:
    """What is known of a site: its matchers' last words, and when the last of them was heard (None: never).

    `why_silent` says why nothing is heard, as far as that is known from here.
    """

    site: str
    matchers: tuple[Status, ...]
    heard_at: datetime | None
    is_silent: bool
    why_silent: str = ""


@dataclass(frozen=True, slots=True)
class Canary:
    """The last canary of a site: when it was sent, and when it came here."""

    sent_at: datetime
    came_at: datetime
