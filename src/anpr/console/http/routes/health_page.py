"""Whether it works, and if not, why not: for officers and for the engineer on call."""

from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth.access import show
from anpr.console.console import Console, SignedIn
from anpr.console.status.status_reader import system_status_of
from anpr.console.status.status_warnings import status_warnings


async def page(_: Request, console: Console, who: SignedIn) -> Response:
    """Show the health of every site."""
    now = console.clock()
    sight = await console.live.ask(lambda feed: system_status_of(feed, console.settings, now, covert=who.user.covert))
    return show(
        console,
        "health.html",
        who,
        system=sight,
        warnings=status_warnings(sight, console.settings, console.at),
        sites=console.settings.sites,
        clock_off_seconds=console.settings.console.clock_off_seconds,
        canary_every_seconds=console.settings.console.canary_every_seconds,
    )
