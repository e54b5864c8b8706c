"""The health of a site as a board knows it: its matchers, and its newest canary. Pure."""

from dataclasses import dataclass
from datetime import datetime

from anpr.contracts.events import Status


@dataclass(frozen=True, slots=True)
class SiteHealth:
    """The health of a site.

    Attributes:
        site: Its name.
        matchers: The newest status of each of its matchers.
        heard_at: When a status was last received from the site; None if never.
        is_silent: Whether the last status is too long ago.
        why_silent: Why nothing is received, as far as this machine can tell.
    """

    site: str
    matchers: tuple[Status, ...]
    heard_at: datetime | None
    is_silent: bool
    why_silent: str = ""


@dataclass(frozen=True, slots=True)
class Canary:
    """The newest canary of a site: when it was sent, and when its alert came here."""

    sent_at: datetime
    came_at: datetime
