"""The system's status and its warnings, computed once a tick for each audience. Every reader uses these."""

from dataclasses import dataclass
from datetime import datetime

from anpr.board.board_feed import BoardFeed
from anpr.console.local_time import FormatTime
from anpr.console.status.last_read import last_read_at
from anpr.console.status.status_reader import read_system_status
from anpr.console.status.status_warnings import status_warnings
from anpr.console.status.system_status import SystemStatus, for_everybody
from anpr.console.status.unwarned_faults import UnwarnedFaults, unwarned_faults
from anpr.runtime.settings import Settings


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
    """

    def __init__(self, settings: Settings, site: str, format_time: FormatTime) -> None:
        """Write warnings for the officers of `site`."""
        self.ticks = 0
        self.last_read_at: datetime | None = None
        self._settings = settings
        self._site = site
        self._format_time = format_time
        self._known: dict[bool, KnownStatus] = {}

    def update(self, feed: BoardFeed, now: datetime) -> None:
        """Compute the status and the warnings of both audiences."""
        whole = read_system_status(feed, self._settings, now)
        self.last_read_at = last_read_at(whole.health, self._site, self._settings.sites)
        self._known = {
            covert: KnownStatus(
                system,
                status_warnings(system, self._settings, self._format_time),
                unwarned_faults(system, self._settings.console),
            )
            for covert, system in ((False, for_everybody(whole, self._settings.sites)), (True, whole))
        }
        self.ticks += 1

    def known_to(self, *, covert: bool) -> KnownStatus:
        """Return the status at the last tick: with covert facts only for people with that permission."""
        return self._known[covert]
