"""Checks before every page who asks, whether they may see it, and whether a form is from this console."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from anpr.console.auth import permissions
from anpr.console.auth.access import has_own_csrf, is_own_origin, why_refused
from anpr.console.auth.authentication import Authentication, SignedIn
from anpr.console.http.page_renderer import PageRenderer
from anpr.runtime.errors import AnprError

Handler = Callable[[Request, SignedIn], Awaitable[Response]]


class Guard:
    """Lets a request through to its page, or answers why not."""

    def __init__(self, site: str, auth: Authentication, renderer: PageRenderer) -> None:
        """Guard the pages of the console of `site`."""
        self._site = site
        self._auth = auth
        self._renderer = renderer

    def protect(
        self, handler: Handler, permission: str, *, is_form: bool, is_for_script: bool
    ) -> Callable[[Request], Awaitable[Response]]:
        """Return a handler behind the guard. A script that is signed out gets no sign-in page.

        Whoever opens the console's bare address comes to the first page of their role.
        """

        async def answer(request: Request) -> Response:
            who = await self._auth.signed_in(request)
            if who is None and not is_form:
                if is_for_script:
                    return Response(self._auth.why_signed_out(request), 401)
                return RedirectResponse("/sign-in", 303)
            if who is not None and request.url.path == "/" and not who.may(permission):
                return RedirectResponse(permissions.first_page(who.user.role), 303)
            why = await self._why_refused(request, permission, who, is_form=is_form)
            if who is None:
                why = f"{why} {self._auth.why_signed_out(request)}".strip()
            if who is None or why:
                return self._renderer.refusal(403, why, who)
            try:
                return await handler(request, who)
            except AnprError as error:
                return self._renderer.refusal(503, str(error), who, error.next_step)

        return answer

    async def _why_refused(self, request: Request, permission: str, who: SignedIn | None, *, is_form: bool) -> str:
        if is_form and not is_own_origin(request):
            return "This form was not sent from this console. Reload the page and try again."
        why = why_refused(self._site, permission, who)
        if not why and is_form and who is not None and not await has_own_csrf(request, who):
            return "This form is not from your session. Go back, reload the page and try again."
        return why
