"""The shift page: which incidents each officer has claimed and which nobody has, the most urgent first."""

from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.site_view import SiteView, open_incidents
from anpr.console.http.page_renderer import PageRenderer

MAX_SHOWN = 200


async def page(_: Request, who: SignedIn, *, board: BoardAccess, view: SiteView, renderer: PageRenderer) -> Response:
    """Show the open incidents of this site: the user's own, their colleagues', and those that nobody has claimed."""
    incidents = await open_incidents(board, view, who)
    claimed = [incident for incident in incidents if view.holder(incident)]
    groups = {
        "own": [incident for incident in claimed if view.holder(incident) == who.user.name],
        "colleagues": [incident for incident in claimed if view.holder(incident) != who.user.name],
        "unclaimed": [incident for incident in incidents if not view.holder(incident)],
    }
    cards = {name: [view.card(incident) for incident in group[:MAX_SHOWN]] for name, group in groups.items()}
    not_shown = sum(max(0, len(group) - MAX_SHOWN) for group in groups.values())
    return renderer.page(
        "shift.html", who, cards=cards, more=not_shown, review_below_score=view.rules.review_below_score
    )
