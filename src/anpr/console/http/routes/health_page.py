"""The Health page: whether the system works, and if not, why. For officers and the engineer on call."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from anpr.console.actions.acknowledge_losses import losses_to_acknowledge
from anpr.console.actions.submit import ActionSubmitter
from anpr.console.auth.authentication import SignedIn
from anpr.console.http.page_renderer import PageRenderer
from anpr.console.status.fresh_status import FreshStatus

_NO_TICK = "The console cannot see the ports: it has stopped updating."


async def page(request: Request, who: SignedIn, *, status: FreshStatus, renderer: PageRenderer) -> Response:
    """Show the health of every site."""
    current = await status.known_to(who)
    if current is None:
        return renderer.refusal(503, _NO_TICK, who, "Tell the engineer on call.")
    return renderer.page(
        "health.html",
        who,
        system=current.system,
        warnings=current.warnings,
        unwarned=current.unwarned,
        done=request.query_params.get("done", ""),
    )


async def acknowledge_losses(
    request: Request, who: SignedIn, *, status: FreshStatus, actions: ActionSubmitter, renderer: PageRenderer
) -> Response:
    """Acknowledge the lost reads that the page showed, of the sites that the user's account names."""
    current = await status.known_to(who)
    if current is None:
        return renderer.refusal(503, _NO_TICK, who, "Tell the engineer on call.")
    shown_ids = str((await request.form()).get("losses", "")).split()
    losses = losses_to_acknowledge(current.system.losses, shown_ids, who.user.belongs_to)
    if not losses:
        return RedirectResponse("/health", 303)
    result = "acknowledged" if await actions.acknowledge(who, losses) else "unconfirmed"
    return RedirectResponse(f"/health?done={result}", 303)
