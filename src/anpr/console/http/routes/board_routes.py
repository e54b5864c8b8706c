"""The page of the live board, and its state for a browser."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.board_page import HEAD, MAX_CARDS, NOTHING_READ
from anpr.console.board.card_renderer import Card
from anpr.console.board.triage import SECTIONS
from anpr.console.http.page_renderer import PageRenderer


async def page(_: Request, who: SignedIn, *, board: BoardAccess, renderer: PageRenderer) -> Response:
    """Show the present board."""
    cards = [(name, card) for name, card in board.stream_for(who).state.items() if isinstance(card, Card)]
    cards.sort(key=lambda named: named[1].order)
    by_section = {section: [named for named in cards if named[1].section == section] for section in SECTIONS}
    return renderer.page("board.html", who, cards=by_section, max_cards=MAX_CARDS)


async def state(_: Request, who: SignedIn, *, board: BoardAccess) -> Response:
    """Return the whole state and its id, for a browser whose own state cannot be continued.

    A console that was just started has none yet. The browser keeps what it shows, and asks again.
    """
    if board.is_reading_back():
        return Response("not everything has been read yet", 503)
    stream = board.stream_for(who)
    whole = msgspec.json.encode({"id": stream.last_id, "set": {HEAD: NOTHING_READ, **stream.state}})
    return Response(whole, media_type="application/json", headers={"Cache-Control": "no-store"})
