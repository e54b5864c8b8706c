"""Whether it works, and if not, why not: for officers and for the engineer on call."""

from starlette.requests import Request
from starlette.responses import Response

from anpr.web.console import Console, SignedIn
from anpr.web.faults import faults
from anpr.web.guard import show
from anpr.web.sight import sight_of


async def page(_: Request, console: Console, who: SignedIn) -> Response:
    """Show the health of every site."""
    now = console.clock()
    sight = await console.live.ask(lambda feed: sight_of(feed, console.settings, now, covert=who.user.covert))
    return show(
        console,
        "health.html",
        who,
        sight=sight,
        faults=faults(sight, console.settings, console.at),
        sites=console.settings.sites,
        clock_off_seconds=console.settings.console.clock_off_seconds,
        canary_every_seconds=console.settings.console.canary_every_seconds,
    )
