"""Shows incidents as one site sees them: the section and order of each, and its card."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from anpr.board.incident import Incident
from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.card_view import CardView, card_view
from anpr.console.board.triage import NOWHERE, SETTLED, BoardPosition, TriageRules, position_of
from anpr.runtime.clock import Clock
from anpr.runtime.settings import Site


class SiteView:
    """The view of one site.

    Attributes:
        site: Its name.
        rules: What decides where an incident belongs.
        signed_in: Tells who is signed in at some console of the site, None where that is not known.
    """

    def __init__(
        self,
        sites: Mapping[str, Site],
        rules: TriageRules,
        clock: Clock,
        signed_in: Callable[[], Collection[str] | None],
        watched_until: Callable[[], datetime],
    ) -> None:
        """See incidents as the site of `rules` does, now. The last two are as in `position_of`."""
        self.site = rules.site
        self.rules = rules
        self._sites = sites
        self._clock = clock
        self.signed_in = signed_in
        self._watched_until = watched_until

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the site."""
        return self._sites[self.site].zone

    def now(self) -> datetime:
        """Return the time."""
        return self._clock()

    def position(self, incident: Incident) -> BoardPosition:
        """Return where an incident belongs."""
        return position_of(incident, self.rules, self._clock(), self.signed_in(), self._watched_until())

    def card(self, incident: Incident) -> CardView:
        """Return the card of an incident."""
        return card_view(incident, self._sites, self.site, self.position(incident))

    def holder(self, incident: Incident) -> str:
        """Return who has claimed an incident at this site, "" when nobody has."""
        return incident.holders.get(self.site, "")

    def is_open_here(self, incident: Incident) -> bool:
        """Tell whether somebody at this site has claimed an open incident, or should claim it."""
        position = self.position(incident)
        return position.section not in (SETTLED, NOWHERE) and bool(position.asks_to_claim or self.holder(incident))


async def open_incidents(board: BoardAccess, view: SiteView, who: SignedIn) -> list[Incident]:
    """Return the open incidents of a site that the user may know of: by priority, then the oldest first."""
    incidents = await board.incidents(who, view.is_open_here)
    return sorted(
        incidents, key=lambda incident: (incident.priority, incident.first_captured_at, incident.incident_id)
    )
