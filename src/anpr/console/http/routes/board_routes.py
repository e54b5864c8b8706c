"""The live board."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth.access import show
from anpr.console.board.board_page import HEAD, MOST_CARDS, NOTHING_READ, Card
from anpr.console.board.triage import SECTIONS
from anpr.console.console import Console, SignedIn


async def page(_: Request, console: Console, who: SignedIn) -> Response:
    """Show the board as it is, and from which event on the browser must listen."""
    stream = console.page_for(who).stream
    cards = {name: card for name, card in stream.state.items() if isinstance(card, Card)}
    by_section = {
        section: sorted(
            ((name, card) for name, card in cards.items() if card.section == section), key=lambda one: one[1].order
        )
        for section in SECTIONS
    }
    return show(console, "board.html", who, cards=by_section, most_cards=MOST_CARDS)


async def state(_: Request, console: Console, who: SignedIn) -> Response:
    """Return the whole state and the id that belongs to it, for a browser whose own state cannot be continued.

    A console that was just started has none yet. The browser keeps what it shows, and asks again.
    """
    if console.is_reading_back():
        return Response("not everything has been read yet", 503)
    stream = console.page_for(who).stream
    whole = msgspec.json.encode({"id": stream.last_id, "set": {HEAD: NOTHING_READ, **stream.state}})
    return Response(whole, media_type="application/json", headers={"Cache-Control": "no-store"})
