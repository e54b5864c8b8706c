"""The page of the audit log, newest first. Reading it is logged, too."""

from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth.audit_trail import FAILED_SINCE, AuditTrail
from anpr.console.auth.authentication import SignedIn
from anpr.console.http.page_renderer import PageRenderer


async def page(_: Request, who: SignedIn, *, audit: AuditTrail, renderer: PageRenderer) -> Response:
    """Show the newest look-ups at this console, and the sign-ins that failed lately."""
    await audit.record(who, "audit log")
    look_ups, failed = await audit.read(who)
    return renderer.page("audit.html", who, lines=look_ups, failed=failed, failed_days=FAILED_SINCE.days)
