"""The board as each user may see it: covert alerts reach only people with the covert permission."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from anpr.board.board import Board
from anpr.board.board_feed import BoardFeed
from anpr.board.incident import Incident
from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_page import BoardPage
from anpr.console.board.board_thread import BoardThread
from anpr.console.board.card_renderer import Card
from anpr.console.board.change_stream import ChangeStream
from anpr.contracts.events import Action
from anpr.runtime.clock import Clock
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# A console that has just started reads the topics for at most this long. Then it shows what it has, because a port
# may be out of reach.
READ_BACK_SECONDS = 15.0


class BoardAccess:
    """Answers a user's questions to the board."""

    def __init__(self, thread: BoardThread, pages: Mapping[bool, BoardPage], clock: Clock) -> None:
        """`pages` holds the page of each audience: under True the page with covert incidents."""
        self.pages = pages
        self._thread = thread
        self._clock = clock
        self._read_back_until = time.monotonic() + READ_BACK_SECONDS
        self._has_read_back = False

    def stream_for(self, who: SignedIn) -> ChangeStream:
        """Return the change stream of the user's audience."""
        return self._page_for(who).stream

    async def incident(self, who: SignedIn, incident_id: str) -> Incident | None:
        """Return an incident by the id of any of its alerts, if the user may know of it."""
        return await self._thread.run(lambda feed: _board_for(who, feed).incident_of(incident_id, self._clock()))

    async def incidents_of(self, who: SignedIn, alert_ids: Collection[str]) -> dict[str, str]:
        """Return, by alert, the id of its incident, for those alerts whose incident the user may still open."""

        def found(feed: BoardFeed) -> dict[str, str]:
            board, now = _board_for(who, feed), self._clock()
            incidents = {alert_id: board.incident_of(alert_id, now) for alert_id in alert_ids}
            return {alert_id: incident.incident_id for alert_id, incident in incidents.items() if incident}

        return await self._thread.run(found)

    async def incidents(self, who: SignedIn, is_wanted: Callable[[Incident], bool]) -> list[Incident]:
        """Return the incidents that the user may know of and that fit a condition."""

        def wanted(feed: BoardFeed) -> list[Incident]:
            incidents = _board_for(who, feed).incidents(self._clock())
            return [incident for incident in incidents if _holds(is_wanted, incident)]

        return await self._thread.run(wanted)

    async def other_ports_of(self, who: SignedIn, incident: Incident) -> list[str]:
        """Return the other ports whose incidents of the same plate the user may see. No port is asked for that."""

        def ports(feed: BoardFeed) -> list[str]:
            board, now = _board_for(who, feed), self._clock()
            keys = board.keys()
            others = sorted(key for key in keys if key[1] == incident.plate and key[0] != incident.site)
            return [key[0] for key in others if board.incidents_of(key, now)]

        return await self._thread.run(ports)

    async def cards_from(self, who: SignedIn, section: str, start: int) -> tuple[Sequence[tuple[str, Card]], int]:
        """Return the next cards of a section from `start` on, by incident, and how many incidents it has."""
        page = self._page_for(who)
        return await self._thread.run(lambda _: page.cards_from(section, start))

    async def wait_for_actions(self, who: SignedIn, actions: Iterable[Action], seconds: float) -> bool:
        """Wait at most `seconds` until all actions are on the user's board; return whether they are."""

        def are_there(feed: BoardFeed) -> bool:
            board = _board_for(who, feed)
            return all(board.has_action(action.site, action.action_id) for action in actions)

        return await self._thread.wait_until(are_there, seconds)

    def is_reading_back(self) -> bool:
        """Tell whether this console has just been started and does not have the whole board yet."""
        if not self._has_read_back:
            self._has_read_back = self._thread.has_read_all() or time.monotonic() >= self._read_back_until
        return not self._has_read_back

    def _page_for(self, who: SignedIn) -> BoardPage:
        return self.pages[who.user.covert]


def _holds(condition: Callable[[Incident], bool], incident: Incident) -> bool:
    """Tell whether a condition holds. An incident for which that fails is left out; the board's page says so."""
    try:
        return condition(incident)
    except Exception:
        log.exception("an incident cannot be looked at")
        return False


def _board_for(who: SignedIn, feed: BoardFeed) -> Board:
    return feed.whole_board or feed.board if who.user.covert else feed.board
