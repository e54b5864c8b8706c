"""The audit log, newest first. Who reads it is in it, too."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from anpr.web.console import Console, SignedIn
from anpr.web.guard import show

NEWEST = 200


async def page(_: Request, console: Console, who: SignedIn) -> Response:
    """Show the newest look-ups at this console."""
    await console.note_look_up(who, "audit log")
    lines = await asyncio.to_thread(console.audit.newest, NEWEST, covert=who.user.covert)
    return show(console, "audit.html", who, lines=lines)
