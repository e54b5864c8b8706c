"""Signing out: what one has in hand is handed over, let go or kept, as one says."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from anpr.board.incident import Incident
from anpr.console.actions.rules import ActionRefusedError, hand_over, release
from anpr.console.actions.submit import actor_for, submit
from anpr.console.auth import permissions
from anpr.console.auth.access import cookie_name, show
from anpr.console.console import Console, SignedIn
from anpr.console.http.routes.shift_page import open_here

_DEEDS = {"hand-over": hand_over, "release": release}


async def sign_out(request: Request, console: Console, who: SignedIn) -> Response:
    """End every session of this person, on every console, once it is said what becomes of what they have in hand."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    choice = form.get("with", "")
    held = await _held(console, who) if who.may(permissions.ACT) else []
    if held and choice != "keep":
        if choice not in _DEEDS:
            return _ask(console, who, held)
        try:
            placed = [placed for one in held for placed in _DEEDS[choice](one, actor_for(console, who, one), form)]
        except ActionRefusedError as error:
            return _ask(console, who, held, error=str(error), status=409)
        if not await submit(console, who, placed):
            return _ask(
                console, who, held, error="The system is not answering. Nothing is confirmed. Try again.", status=503
            )
    await console.sessions.end_all(who.user.name)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(cookie_name(console))
    return answer


async def _held(console: Console, who: SignedIn) -> list[Incident]:
    return [one for one in await open_here(console, who) if one.holders.get(console.site) == who.user.name]


def _ask(console: Console, who: SignedIn, held: list[Incident], *, error: str = "", status: int = 200) -> Response:
    covert = {one.incident_id for one in held if one.has_covert}
    colleagues = sorted(console.colleagues(covert=bool(covert)) - {who.user.name})
    return show(
        console, "sign_out.html", who, status, claimed=held, covert=covert, colleagues=colleagues, error=error
    )
