"""The system's status and its warnings, computed once a tick for each audience. Every reader uses these."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from anpr.board.board_feed import BoardFeed
from anpr.board.journeys import NEVER
from anpr.console.local_time import FormatTime
from anpr.console.status.last_read import last_read_at
from anpr.console.status.status_reader import read_system_status
from anpr.console.status.status_warnings import status_warnings
from anpr.console.status.system_status import SystemStatus, for_everybody
from anpr.console.status.unwarned_faults import UnwarnedFaults, unwarned_faults
from anpr.runtime.logs import get_logger
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings

log = get_logger(__name__)

NOTHING_MISSING: Final = MappingProxyType(dict[bool, int]())
_LOOK: Final = "Look at the board of another port, and tell the engineer on call."


@dataclass(frozen=True, slots=True)
class KnownStatus:
    """The status at one tick that one audience may see, its warnings, and the faults that no warning names."""

    system: SystemStatus
    warnings: tuple[str, ...]
    unwarned: UnwarnedFaults


class CurrentStatus:
    """The status at the last tick. The board's thread updates it; any thread may read it.

    Attributes:
        ticks: How often it has been updated.
        last_read_at: When a camera last saw a vehicle (`last_read`).
        watched_until: Until when arrivals were met at the site (`journeys.arrival_state`).
    """

    def __init__(self, settings: Settings, site: str, format_time: FormatTime) -> None:
        """Write warnings for the officers of `site`."""
        self.ticks = 0
        self.last_read_at: datetime | None = None
        self.watched_until = NEVER
        self._settings = settings
        self._site = site
        self._format_time = format_time
        self._known: dict[bool, KnownStatus] = {}

    def update(self, feed: BoardFeed, now: datetime, not_shown: Mapping[bool, int] = NOTHING_MISSING) -> None:
        """Compute the status and the warnings of both audiences.

        `not_shown` tells by audience how many vehicles are missing from its page. Where the status cannot be
        computed, the pages still show the vehicles, and say so.
        """
        try:
            whole = read_system_status(feed, self._settings, now)
            self.last_read_at = last_read_at(whole.health, self._site, self._settings.sites)
            self.watched_until = whole.watched_until.get(self._site, NEVER)
            self._known = {
                covert: self._computed(system, not_shown.get(covert, 0))
                for covert, system in ((False, for_everybody(whole, self._settings.sites)), (True, whole))
            }
        except Exception:
            log.exception("the status of the ports cannot be computed")
            self._known = dict.fromkeys((False, True), _unknown(feed, now))
        self.ticks += 1

    def _computed(self, system: SystemStatus, not_shown: int) -> KnownStatus:
        warnings = status_warnings(system, self._settings, self._site, self._format_time)
        if not_shown:
            warnings += (
                f"{counted(not_shown, 'vehicle')} cannot be shown because of a fault in this program. {_LOOK}",
            )
        return KnownStatus(system, warnings, unwarned_faults(system, self._settings.console))

    def known_to(self, *, covert: bool) -> KnownStatus:
        """Return the status at the last tick: with covert facts only for people with that permission."""
        return self._known[covert]


def _unknown(feed: BoardFeed, now: datetime) -> KnownStatus:
    """Return what is shown where nobody can say how the ports are."""
    system = SystemStatus(
        now=now,
        opened_at=feed.opened_at,
        unread_sites=feed.unread_sites(),
        health=(),
        cameras={},
        canaries={},
        unreadable_records={},
        missed_records={},
        reads_per_second={},
        problems_without_cameras={},
        losses={},
    )
    return KnownStatus(system, (f"The state of the ports is not known. {_LOOK}",), UnwarnedFaults())
