"""The shift: what somebody has in hand and what nobody has, the oldest first, so that nothing is forgotten."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from anpr.board.board_feed import BoardFeed
from anpr.board.incident import Incident
from anpr.console.auth.access import show
from anpr.console.board.triage import NOWHERE, SETTLED, position_of
from anpr.console.console import Console, SignedIn
from anpr.console.http.render import CardView, card_view

MOST_SHOWN = 200


async def page(_: Request, console: Console, who: SignedIn) -> Response:
    """Show what is open at this site: mine, my colleagues', nobody's."""
    incidents = await open_here(console, who)
    held = [incident for incident in incidents if console.site in incident.holders]
    groups = {
        "own": [one for one in held if one.holders[console.site] == who.user.name],
        "colleagues": [one for one in held if one.holders[console.site] != who.user.name],
        "unclaimed": [one for one in incidents if console.site not in one.holders],
    }
    cards = {name: [_card(console, one) for one in of_group[:MOST_SHOWN]] for name, of_group in groups.items()}
    more = sum(max(0, len(of_group) - MOST_SHOWN) for of_group in groups.values())
    return show(console, "shift.html", who, cards=cards, more=more, now=console.clock())


async def open_here(console: Console, who: SignedIn) -> list[Incident]:
    """Return what this site can take in hand or has, the oldest first."""
    now = console.clock()

    def look(feed: BoardFeed) -> list[Incident]:
        return [one for one in console.board_for(who, feed).incidents(now) if _is_here(one, console, now)]

    return sorted(await console.live.ask(look), key=lambda one: (one.first_captured_at, one.incident_id))


def _is_here(incident: Incident, console: Console, now: datetime) -> bool:
    where = position_of(incident, console.rules, now)
    return where.section not in (SETTLED, NOWHERE) and (where.may_claim or console.site in incident.holders)


def _card(console: Console, incident: Incident) -> CardView:
    where = position_of(incident, console.rules, console.clock())
    return card_view(incident, console.settings.sites, console.site, where)
