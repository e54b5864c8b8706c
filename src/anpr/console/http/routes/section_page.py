"""What stands in a section behind the cards of the board, a hundred at a time, as it is now."""

from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth.access import refusal, show
from anpr.console.board.board_page import MOST_CARDS
from anpr.console.board.triage import SECTIONS, SETTLED
from anpr.console.console import Console, SignedIn


async def page(request: Request, console: Console, who: SignedIn) -> Response:
    """Show the next ones of a section. They do not change by themselves: what is most urgent is on the board."""
    section, start = request.path_params["section"], request.query_params.get("from", str(MOST_CARDS))
    if section not in SECTIONS or section == SETTLED or not (start.isascii() and start.isdigit() and len(start) < 8):
        return refusal(console, 404, "There is no such page.", who)
    board_page = console.page_for(who)
    cards, count = await console.live.ask(lambda _: board_page.behind(section, int(start)))
    return show(console, "section.html", who, section=section, start=int(start), cards=cards, count=count)
