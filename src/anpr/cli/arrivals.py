"""`anpr arrivals`: which listed vehicles are due off the ferry or shuttle at a UK port, and which have come."""

import logging
import sys
import time

import click
import msgspec
from rich.console import Console

from anpr.board.journeys import ALWAYS, arrival_state, arrivals
from anpr.cli import settings_of
from anpr.cli.arrival_routes import arrival_routes
from anpr.cli.watch import open_feed
from anpr.runtime.clock import system_clock
from anpr.terminal.arrival_words import nobody_checks_arrivals
from anpr.terminal.claim_words import claim_words, unattended_claims
from anpr.terminal.incident_lines import arrival_line
from anpr.terminal.view import draw_arrivals

READ_SECONDS = 30


@click.command(name="arrivals")
@click.option("--site", required=True, help="The port where the vehicles drive off.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line for each vehicle on stdout.")
@click.pass_context
def command(ctx: click.Context, site: str, as_json: bool) -> None:
    """Show which listed vehicles a ferry or shuttle brings.

    The next vehicle comes first. It is due, met (a camera of the port has seen it), overdue, or unwatched: it should
    have come since `anpr meet` last looked, so perhaps it has. At a port without cameras none is met or overdue.

    The times come from published timetables. They begin with the shortest crossing. They end when a driver who just
    missed a departure drives off. A vehicle leaves this list an hour later, unless an officer at the port has claimed
    it.

    Exit code 1: the list may be incomplete. A port that vehicles come from sends nothing, or this port's own matchers
    do not, or nobody checks arrivals here.

    \b
    Examples:
      anpr arrivals --site dover
      anpr arrivals --site folkestone --json
    """
    settings = settings_of(ctx)
    routes = arrival_routes(settings, site)
    origins = [origin for origin, route in routes.items() if route.by != "road"]
    feed = open_feed(settings)
    if sys.stderr.isatty():
        logging.getLogger().setLevel(logging.ERROR)  # the sentences below say it to a person
    feed.start()
    try:
        read_until = time.monotonic() + READ_SECONDS
        while not feed.caught_up() and time.monotonic() < read_until:
            feed.fold_new_records(0.1)
    finally:
        feed.stop()
    now = system_clock()
    watched_until = feed.site_monitor.watched_until(now).get(site)
    expected = [
        (incident, concern, arrival_state(concern, now, watched_until))
        for incident, concern in arrivals(feed.board.incidents(now), site, routes, now)
    ]
    unattended = {
        incident.incident_id: unattended_claims(incident, settings.console, now) for incident, _, _ in expected
    }
    silent = [health.site for health in feed.health(now) if health.site in {*origins, site} and health.is_silent]
    is_all_read = feed.caught_up() and not silent
    if as_json:
        for arrival in expected:
            click.echo(msgspec.json.encode(arrival_line(*arrival, unattended[arrival[0].incident_id])))
    elif expected or is_all_read:  # or else nobody knows whether any is due
        console = Console()
        claimed = {
            incident.incident_id: claim_words(incident, unattended[incident.incident_id], now)
            for incident, _, _ in expected
        }
        console.print(draw_arrivals(expected, settings.sites, site, console.width, claimed))
    if not is_all_read:
        source = ", ".join(settings.sites[site].title for site in silent) or "a port that cannot be reached"
        click.echo(f"Vehicles may be missing: nothing is received from {source}. Phone the port.", err=True)
    port = settings.sites[site]
    is_watched = watched_until in (None, ALWAYS)
    if watched_until is not None and not is_watched and site not in feed.unread_sites():
        words = nobody_checks_arrivals(watched_until, port.zone)
        click.echo(f"{port.title}: {words}. Start `anpr meet --site {site}`, or read its log.", err=True)
    if not is_watched or not is_all_read:
        ctx.exit(1)
