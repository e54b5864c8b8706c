"""Whether it works, and if not, why not: for officers and for the engineer on call."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from anpr.services.board_feed import BoardFeed, SiteHealth
from anpr.web.console import Console, SignedIn
from anpr.web.guard import show


async def page(_: Request, console: Console, who: SignedIn) -> Response:
    """Show the health of every site."""
    now = console.clock()

    def look(feed: BoardFeed) -> tuple[list[str], list[SiteHealth], dict[str, float]]:
        health = feed.health(now)
        return console.faults(feed, now), health, {one.site: feed.rates.reads_per_second(one.site) for one in health}

    faults, health, rates = await console.live.ask(look)
    return show(
        console, "health.html", who, faults=faults, health=health, rates=rates, sites=console.settings.sites,
        last_reads={one.site: _last_reads(one) for one in health}, now=now,
    )  # fmt: skip


def _last_reads(health: SiteHealth) -> dict[str, datetime]:
    """Return when each camera of a site last saw a vehicle."""
    last: dict[str, datetime] = {}
    for status in health.matchers:
        for camera, at in status.cameras.items():
            last[camera] = max(at, last.get(camera, at))
    return last
