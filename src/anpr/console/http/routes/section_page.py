"""The incidents of a section that do not fit on the board, a hundred at a time."""

from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.board_page import MAX_CARDS
from anpr.console.board.triage import SECTIONS, SETTLED
from anpr.console.http.page_renderer import PageRenderer


async def page(request: Request, who: SignedIn, *, board: BoardAccess, renderer: PageRenderer) -> Response:
    """Show the next incidents as they are now. This page does not follow changes: the board has the most urgent."""
    section, start = request.path_params["section"], request.query_params.get("from", str(MAX_CARDS))
    if section not in SECTIONS or section == SETTLED or not _is_number(start):
        return renderer.refusal(404, "There is no such page.", who)
    cards, count = await board.cards_from(who, section, int(start))
    return renderer.page("section.html", who, section=section, start=int(start), cards=cards, count=count)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 8
