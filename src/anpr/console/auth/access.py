"""Between a route and its handler: who asks, whether they may, and whether a form is our own."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from anpr.console.auth import permissions
from anpr.console.auth.sessions import Session
from anpr.console.board.board_page import HEAD, NOTHING_READ, Card
from anpr.console.console import Console, SignedIn
from anpr.runtime.errors import AnprError

Handler = Callable[[Request, Console, SignedIn], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """A route: how it is asked for, what one must be allowed, and who answers. `for_program` answers without HTML."""

    method: str
    path: str
    right: str
    handler: Handler
    for_program: bool = False


def cookie_name(console: Console) -> str:
    """Return the cookie of the session: one for each site, for consoles on one machine share their cookies."""
    return f"anpr_{console.site}"


def guarded(page: Page, console: Console) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler behind its guard."""

    async def answer(request: Request) -> Response:
        who = await signed_in(request, console)
        if who is None and page.method == "GET":
            return Response("signed out", 401) if page.for_program else RedirectResponse("/sign-in", 303)
        why_not = await _why_not(page, request, console, who)
        if who is None or why_not:
            return refusal(console, 403, why_not, who)
        try:
            return await page.handler(request, console, who)
        except AnprError as error:
            return refusal(console, 503, str(error), who, error.next_step)

    return answer


async def _why_not(page: Page, request: Request, console: Console, who: SignedIn | None) -> str:
    """Return why the person may not have this page, "" if they may."""
    if page.method == "POST" and not is_own_origin(request):
        return "This form was not sent from this console. Reload the page and try again."
    if who is None:
        return "You are signed out."
    if not who.user.belongs_to(console.site):
        return "Your account does not have access to this site."
    if not who.may(page.right):
        return f"Your role, {who.user.role}, does not allow you to {page.right}."
    if page.method == "POST":
        sent = str((await request.form()).get("csrf", ""))
        if not secrets.compare_digest(sent.encode(), who.session.csrf.encode()):
            return "This form is not from your session. Go back, reload the page and try again."
    return ""


async def signed_in(request: Request, console: Console) -> SignedIn | None:
    """Return who asks, while their session lasts and they are among the users."""
    token = request.cookies.get(cookie_name(console))
    return _user_of(await console.sessions.find(token) if token else None, console)


def still_signed_in(request: Request, console: Console) -> SignedIn | None:
    """Tell the same of one who was, from what the console knows: nothing has to be asked for each of hundreds."""
    token = request.cookies.get(cookie_name(console))
    return _user_of(console.sessions.remembered(token) if token else None, console)


def _user_of(session: Session | None, console: Console) -> SignedIn | None:
    """Return whose session it is, as long as the users file says of them what it said when they signed in."""
    user = console.users.users().get(session.user) if session else None
    return SignedIn(user, session) if user and session and session.user_stamp == user.stamp else None


def is_own_origin(request: Request) -> bool:
    """Tell whether a form comes from a page of this console. Every browser says so with each form."""
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host")


def show(console: Console, template: str, who: SignedIn | None, status: int = 200, **values: object) -> HTMLResponse:
    """Return a page."""
    stream = console.page_for(who).stream if who and who.may(permissions.SEE_BOARD) else None
    shared: Mapping[str, object] = {
        "who": who,
        "status": status,
        "csrf": who.session.csrf if who else "",
        "can": {name: who.may(right) for name, right in _SHOWN_RIGHTS.items()} if who else {},
        "home": permissions.HOME.get(who.user.role, "/health") if who else "/",
        "redis_away": console.sessions.is_away,
        "now": console.clock(),
        # What every page shows of the board, and from which event on it must listen.
        "head": stream.state.get(HEAD, NOTHING_READ) if stream else None,
        "head_json": msgspec.json.encode(stream.state.get(HEAD, NOTHING_READ)).decode() if stream else "",
        "after": stream.last_id if stream else "",
        "ringing": " ".join(name for name, card in stream.state.items() if isinstance(card, Card) and card.rings)
        if stream
        else "",
        "last_read_at": console.last_read_at,
    }
    html = console.templates.get_template(template).render({**shared, **values})
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})


_SHOWN_RIGHTS = {
    "see_board": permissions.SEE_BOARD,
    "act": permissions.ACT,
    "see_health": permissions.SEE_HEALTH,
    "see_audit": permissions.SEE_AUDIT,
    "take_over": permissions.TAKE_OVER,
}


def refusal(
    console: Console, status: int, why: str, who: SignedIn | None = None, next_step: str = ""
) -> HTMLResponse:
    """Return the page that says why something was not done."""
    return show(console, "refused.html", who, status, why=why, next_step=next_step)
