"""The shift: what somebody has in hand and what nobody has, the oldest first, so that nothing is forgotten."""

from starlette.requests import Request
from starlette.responses import Response

from anpr.incidents import Incident
from anpr.services.board_feed import BoardFeed
from anpr.web.console import Console, SignedIn
from anpr.web.guard import show
from anpr.web.lanes import place
from anpr.web.render import CardView, card_view

MOST_SHOWN = 200


async def page(_: Request, console: Console, who: SignedIn) -> Response:
    """Show what is open at this site: mine, my colleagues', nobody's."""
    incidents = await open_here(console, who)
    held = [incident for incident in incidents if console.site in incident.holders]
    groups = {
        "mine": [one for one in held if one.holders[console.site] == who.user.name],
        "others": [one for one in held if one.holders[console.site] != who.user.name],
        "nobodys": [one for one in incidents if one.site == console.site and console.site not in one.holders],
    }
    cards = {name: [_card(console, one) for one in of_group[:MOST_SHOWN]] for name, of_group in groups.items()}
    more = sum(max(0, len(of_group) - MOST_SHOWN) for of_group in groups.values())
    return show(console, "shift.html", who, cards=cards, more=more, now=console.clock())


async def open_here(console: Console, who: SignedIn) -> list[Incident]:
    """Return what is open and concerns this site or is in hand here, the oldest first."""
    now = console.clock()

    def look(feed: BoardFeed) -> list[Incident]:
        shown = console.board_for(who, feed).incidents(now)
        return [one for one in shown if one.status == "open" and (console.site in (one.site, *one.holders))]

    return sorted(await console.live.ask(look), key=lambda one: (one.first_captured_at, one.incident_id))


def _card(console: Console, incident: Incident) -> CardView:
    where = place(incident, console.rules, console.clock())
    return card_view(
        incident,
        console.settings.sites,
        console.site,
        lane=where.lane,
        rings=where.rings,
        waiting_since=where.waiting_since,
    )
