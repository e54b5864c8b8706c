"""`anpr arrivals`: which listed vehicles are due off the ferry or shuttle at a UK port, from where, and when."""

import time

import click
import msgspec
from rich.console import Console

from anpr.board.incident import Incident
from anpr.board.journeys import Concern, arrivals, routes_to
from anpr.cli import check_site, settings_of
from anpr.cli.watch import open_feed, summary
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import InputError
from anpr.terminal.view import draw_arrivals

READ_SECONDS = 30


@click.command(name="arrivals")
@click.option("--site", required=True, help="The port at which they drive off.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each on stdout.")
@click.pass_context
def command(ctx: click.Context, site: str, as_json: bool) -> None:
    """Say which listed vehicles are due off the ferry or shuttle at a port, the next first.

    The times are windows of published timetables: from the shortest crossing on, to when one who just missed a
    departure drives off. A vehicle leaves this list an hour after that, unless somebody at the port has it in hand.

    Exit code 1 when a port that they come from is not heard: what is shown may lack some.

    \b
    Examples:
      anpr arrivals --site dover
      anpr arrivals --site folkestone --json
    """
    settings = settings_of(ctx)
    routes = routes_to(check_site(settings, site), settings.routes)
    if all(route.by == "road" for route in routes.values()):
        raise InputError(
            "arrivals-no-route",
            f"no ferry or shuttle leads to {site}",
            "name a port to which one does; routes are in sites.toml",
        )
    origins = [origin for origin, route in routes.items() if route.by != "road"]
    feed = open_feed(settings)
    feed.start()
    try:
        read_until = time.monotonic() + READ_SECONDS
        while not feed.caught_up() and time.monotonic() < read_until:
            feed.fold_new_records(0.1)
    finally:
        feed.stop()
    now = system_clock()
    due = arrivals(feed.board.incidents(now), site, routes, now)
    if as_json:
        for incident, why in due:
            click.echo(msgspec.json.encode(_line(incident, why)))
    else:
        Console().print(draw_arrivals(due, settings.sites, site))
    silent = [one.site for one in feed.health(now) if one.site in origins and one.is_silent]
    if silent or not feed.caught_up():
        whose = ", ".join(settings.sites[one].title for one in silent) or "a broker that cannot be reached"
        click.echo(f"Vehicles may be missing here: nothing is heard of {whose}. Ring the port.", err=True)
        ctx.exit(1)


def _line(incident: Incident, why: Concern) -> dict[str, object]:
    """Return an arrival as programs get it: the incident, and its window."""
    return {
        **summary(incident),
        "type": "arrival",
        "by": why.route.by,
        "due_from": why.earliest,
        "due_until": why.latest,
        "outcome_there": why.after.outcome if why.after else None,
    }
