"""The sign-in page."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from anpr.console.auth import permissions
from anpr.console.auth.access import is_own_origin
from anpr.console.auth.authentication import Authentication
from anpr.console.auth.sign_in_service import OTHER_SITE, TOO_MANY, UNAVAILABLE, WRONG, SignInResult, SignInService
from anpr.console.http.page_renderer import PageRenderer

# The HTTP status and the sentence for each way in which an attempt fails.
_FAILURES = {
    WRONG: (401, "The name or password is wrong."),
    TOO_MANY: (429, "Too many attempts. Try again in {minutes}."),
    OTHER_SITE: (403, "Your account does not have access to this site. Sign in at your own site's console."),
    UNAVAILABLE: (
        503,
        "Nobody can sign in at the moment. Try again later. People who are already signed in can keep working.",
    ),
}


def routes(sign_in: SignInService, auth: Authentication, renderer: PageRenderer) -> list[Route]:
    """Return the routes that need no session."""

    async def form(request: Request) -> Response:
        who = await auth.signed_in(request)
        if who is not None:
            return RedirectResponse(permissions.first_page(who.user.role), 303)
        return renderer.page("sign_in.html", None, why_signed_out=auth.why_signed_out(request))

    async def attempt(request: Request) -> Response:
        if not is_own_origin(request):
            return renderer.refusal(403, "This form was not sent from this console. Reload the page and try again.")
        fields = await request.form()
        name, password = str(fields.get("name", "")).strip().lower()[:40], str(fields.get("password", ""))
        address = request.client.host if request.client else ""
        result = await sign_in.attempt(name, password, address, request.cookies.get(auth.cookie_name, ""))
        if result.user is None:
            return _failure(renderer, name, result)
        answer = RedirectResponse(permissions.first_page(result.user.role), 303)
        answer.set_cookie(
            auth.cookie_name,
            result.token,
            max_age=sign_in.session_seconds,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    return [Route("/sign-in", form, methods=["GET"]), Route("/sign-in", attempt, methods=["POST"])]


def _failure(renderer: PageRenderer, name: str, result: SignInResult) -> Response:
    """Return the sign-in page again, with the reason."""
    status, sentence = _FAILURES[result.ended]
    error = sentence.format(minutes=_minutes(result.wait_seconds))
    answer = renderer.page("sign_in.html", None, status, name=name, error=error)
    if result.ended == TOO_MANY:
        answer.headers["Retry-After"] = str(result.wait_seconds)
    return answer


def _minutes(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
