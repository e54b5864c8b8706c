"""The Health page: whether the system works, and if not, why. For officers and the engineer on call."""

from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth.authentication import SignedIn
from anpr.console.http.page_renderer import PageRenderer
from anpr.console.status.fresh_status import FreshStatus

_NO_TICK = "The console cannot see the ports: it has stopped updating."


async def page(_: Request, who: SignedIn, *, status: FreshStatus, renderer: PageRenderer) -> Response:
    """Show the health of every site."""
    current = await status.known_to(who)
    if current is None:
        return renderer.refusal(503, _NO_TICK, who, "Tell the engineer on call.")
    return renderer.page(
        "health.html", who, system=current.system, warnings=current.warnings, unwarned=current.unwarned
    )
