"""Signing in."""

import asyncio

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from anpr.console.auth import permissions
from anpr.console.auth.access import cookie_name, is_own_origin, refusal, show, signed_in
from anpr.console.console import Console
from anpr.runtime import metrics
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_WRONG = "The name or password is wrong."
# What the audit log says.
_FAILED = {
    "wrong": "wrong name or password",
    "too_many": "refused: too many attempts",
    "other_site": "right password, but for another site",
}


def routes(console: Console) -> list[Route]:
    """Return the routes that need no session."""

    async def form(request: Request) -> Response:
        who = await signed_in(request, console)
        if who is not None:
            return RedirectResponse(permissions.HOME.get(who.user.role, "/health"), 303)
        return show(console, "sign_in.html", None)

    async def sign_in(request: Request) -> Response:
        if not is_own_origin(request):
            return refusal(console, 403, "This form was not sent from this console. Reload the page and try again.")
        return await _sign_in(request, console)

    return [Route("/sign-in", form, methods=["GET"]), Route("/sign-in", sign_in, methods=["POST"])]


async def _sign_in(request: Request, console: Console) -> Response:
    form = await request.form()
    name, password = str(form.get("name", "")).strip().lower()[:40], str(form.get("password", ""))
    address = request.client.host if request.client else ""
    began = console.clock()
    if seconds := await console.sign_in_limit.attempt(began, name, address):
        answer = _again(console, name, f"Too many attempts. Try again in {_minutes(seconds)}.", 429)
        answer.headers["Retry-After"] = str(seconds)
        _failed(console, name, address, "too_many")
        return answer
    try:
        user = await asyncio.to_thread(console.users.check, name, password)
        if user is None:
            _failed(console, name, address, "wrong")
            return _again(console, name, _WRONG, 401)
        await console.sign_in_limit.succeeded(began, name, address)
        if not user.belongs_to(console.site):
            _failed(console, name, address, "other_site")
            return _again(
                console,
                name,
                "Your account does not have access to this site. Sign in at your own site's console.",
                403,
            )
        token = await console.sessions.begin(user.name, user.stamp)
    except AnprError as error:
        metrics.CONSOLE_SIGN_INS.labels("unavailable").inc()
        log.warning("nobody can sign in", reason=str(error))
        return _again(
            console,
            name,
            "Nobody can sign in at the moment. Try again later. People who are already signed in can keep working.",
            503,
        )
    metrics.CONSOLE_SIGN_INS.labels("done").inc()
    answer = RedirectResponse(permissions.HOME[user.role], 303)
    answer.set_cookie(
        cookie_name(console),
        token,
        max_age=round(console.settings.console.session_hours * 3600),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


def _failed(console: Console, name: str, address: str, why: str) -> None:
    """Let it be known that somebody tried in vain."""
    metrics.CONSOLE_SIGN_INS.labels(why).inc()
    try:
        console.note_failed_sign_in(name, address, _FAILED[why])
    except AnprError as error:
        log.warning("a failed sign-in is not in the audit log", reason=str(error))


def _minutes(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _again(console: Console, name: str, why: str, status: int) -> Response:
    return show(console, "sign_in.html", None, status, name=name, error=why)
