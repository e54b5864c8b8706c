"""`anpr watch`: the incidents of all ports, live in a terminal or as JSON lines."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import click
import msgspec
from rich.console import Console
from rich.live import Live

from anpr.board.board_feed import BoardFeed
from anpr.board.incident import Incident
from anpr.board.journeys import ArrivalState, Concern, arrival_state, expected_at
from anpr.cli import check_site, settings_of
from anpr.kafka.tail import KafkaTail
from anpr.runtime.clock import system_clock
from anpr.runtime.settings import Settings
from anpr.runtime.shutdown import on_stop
from anpr.terminal.claim_words import claim_words, unattended_claims
from anpr.terminal.fitting import draw_to_fit
from anpr.terminal.incident_lines import incident_line, removed_incident_line, site_line
from anpr.terminal.view import View, draw
from anpr.watchlist.store.home import watchlist_reader

REDRAW_SECONDS = 0.2
# Into a file or a pipe the whole view is printed once in this time.
PRINT_SECONDS = 5
PRINTED_INCIDENTS = 20


@click.command(name="watch")
@click.option("--site", "sites", multiple=True, help="Show only this site. You can repeat this option.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line for each incident that is new or changed.")
@click.pass_context
def command(ctx: click.Context, sites: tuple[str, ...], as_json: bool) -> None:
    """Show the incidents of all ports live, the most urgent first.

    Press Ctrl-C to end. With --json, each line has a `type`. An `incident` line is printed when an incident is new or
    has changed; its status is `joined` or `expired` when its id is not shown any more. A `site` line is printed when
    a site is cut off or reports again: it has `why_silent`, and `heard_seconds_ago` (null if it has never reported).
    If no line has come for a long time, the last `site` lines show whether the road is quiet or the view is broken.

    \b
    Examples:
      anpr watch
      anpr watch --site calais --site coquelles
      anpr watch --json | jq .plate
    """
    settings = settings_of(ctx)
    for site in sites:
        check_site(settings, site)
    stop = threading.Event()
    on_stop(stop.set)
    feed = open_feed(settings)
    feed.start()
    try:
        if as_json:
            _print_json(feed, settings, sites, stop)
        else:
            show(feed, settings, sites, stop)
    finally:
        feed.stop()


def open_feed(settings: Settings) -> BoardFeed:
    """Return a feed from the real servers of all sites."""
    return BoardFeed(settings, KafkaTail, watchlist_reader(settings, may_be_away=True), system_clock)


def show(  # noqa: PLR0913  the last two are for the demo
    feed: BoardFeed,
    settings: Settings,
    sites: Sequence[str],
    stop: threading.Event,
    *,
    kept_rows: int = 0,
    faults: Callable[[], Sequence[str]] = tuple,
) -> None:
    """Draw the board until `stop` is set.

    With `kept_rows`, that many rows that were printed before stay above it: nothing draws over them, so that they can
    be copied. `faults` are those that the caller knows.
    """
    console = Console()

    def view() -> View:
        return view_of(feed, settings, sites, system_clock(), faults())

    def draw_screen() -> None:
        height = console.height - kept_rows
        live.update(draw_to_fit(view(), settings.sites, console.width, height), refresh=True)

    def print_view() -> None:
        console.print(draw(view(), settings.sites, PRINTED_INCIDENTS, console.width))

    if console.is_terminal:
        logging.getLogger().setLevel(logging.ERROR)  # log lines would break the picture
        with Live(console=console, screen=not kept_rows, auto_refresh=False, vertical_overflow="crop") as live:
            _redraw(feed, stop, draw_screen, REDRAW_SECONDS)
    else:
        _redraw(feed, stop, print_view, PRINT_SECONDS)


def view_of(
    feed: BoardFeed,
    settings: Settings,
    sites: Sequence[str],
    now: datetime,
    faults: Sequence[str] = (),
) -> View:
    """Return the view of the named sites, of all sites if none is named."""
    incidents = [incident for incident in feed.board.incidents(now) if not sites or incident.site in sites]
    watched_until = feed.site_monitor.watched_until(now)
    claimed = {
        incident.incident_id: claim_words(incident, unattended_claims(incident, settings.console, now), now)
        for incident in incidents
        if incident.holders
    }
    return View(
        now=now,
        incidents=incidents,
        health=[health for health in feed.health(now) if not sites or health.site in sites],
        rates=feed.site_monitor.rates,
        unreadable_records=feed.unreadable_records,
        unread_sites=feed.unread_sites(),
        missed_records=feed.missed_records,
        losses={site: of_site for site, of_site in feed.losses.by_site(now).items() if not sites or site in sites},
        zones=tuple(dict.fromkeys(site.zone for name, site in settings.sites.items() if not sites or name in sites)),
        faults=faults,
        watched_until={site: until for site, until in watched_until.items() if not sites or site in sites},
        back_checks={
            site: back_check
            for site, back_check in feed.site_monitor.back_check_health(now).items()
            if not sites or site in sites
        },
        claimed=claimed,
        expected={incident.incident_id: _expected(incident, settings, watched_until, now) for incident in incidents},
    )


def _expected(
    incident: Incident, settings: Settings, watched_until: Mapping[str, datetime], now: datetime
) -> list[tuple[Concern, ArrivalState]]:
    """Return where the vehicle of an incident is due off a ferry or shuttle, and what became of it there."""
    return [
        (concern, arrival_state(concern, now, watched_until.get(site)))
        for site, concern in expected_at(incident, settings.routes, now)
    ]


def _redraw(feed: BoardFeed, stop: threading.Event, draw_now: Callable[[], None], every_seconds: float) -> None:
    draw_at = 0.0
    while not stop.is_set():
        feed.fold_new_records(min(0.2, max(0.0, draw_at - time.monotonic())))
        if time.monotonic() >= draw_at:
            draw_now()
            draw_at = time.monotonic() + every_seconds


def _print_json(feed: BoardFeed, settings: Settings, sites: Sequence[str], stop: threading.Event) -> None:
    shown: dict[str, bytes] = {}
    silent: dict[str, str] = {}
    while not stop.is_set():
        feed.fold_new_records(0.1)
        view = view_of(feed, settings, sites, system_clock())
        for incident in reversed(view.incidents):
            unattended = unattended_claims(incident, settings.console, view.now)
            line = msgspec.json.encode(incident_line(incident, view.expected[incident.incident_id], unattended))
            if shown.get(incident.incident_id) != line:
                shown[incident.incident_id] = line
                click.echo(line)
        for removed in shown.keys() - {incident.incident_id for incident in view.incidents}:
            del shown[removed]
            click.echo(msgspec.json.encode(removed_incident_line(removed, view.incidents)))
        for health in view.health:
            if silent.get(health.site) != health.why_silent:
                silent[health.site] = health.why_silent
                click.echo(msgspec.json.encode(site_line(health, view.now)))
