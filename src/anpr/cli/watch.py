"""`anpr watch`: the incidents of all ports, live in a terminal or as JSON lines."""

import dataclasses
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import click
import msgspec
from rich.console import Console, RenderableType
from rich.live import Live

from anpr.board.board_feed import BoardFeed
from anpr.board.incident import Incident
from anpr.board.site_health import SiteHealth
from anpr.cli import check_site, settings_of
from anpr.cli.watchlist.common import reader_of
from anpr.kafka.tail import KafkaTail
from anpr.runtime.clock import system_clock
from anpr.runtime.settings import Settings
from anpr.runtime.shutdown import on_stop
from anpr.terminal.view import WIDE, View, certainty, draw

REDRAW_SECONDS = 0.2
# Into a file or a pipe the whole picture goes now and then.
PRINT_SECONDS = 5
# What the health of the sites and the frame take of a screen; the rest is for incidents.
USED_ROWS = 14


@click.command(name="watch")
@click.option("--site", "sites", multiple=True, help="Show this site only. May be given several times.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each incident that is new or has changed.")
@click.pass_context
def command(ctx: click.Context, sites: tuple[str, ...], as_json: bool) -> None:
    """Show the incidents of all ports as they come, the most urgent first. Ctrl-C ends it.

    With --json each line has a `type`: `incident` (new or changed; status `joined` or `expired` when its id is shown
    no more) or `site` (heard again, or cut off: `why_silent`, and `heard_seconds_ago`, null when never). A reader
    that has had no line for long looks at the last `site` lines to know whether the road is quiet or the view is
    broken.

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
        (_print_json if as_json else show)(feed, settings, sites, stop)
    finally:
        feed.stop()


def open_feed(settings: Settings) -> BoardFeed:
    """Return a feed from the real servers of all sites."""
    return BoardFeed(settings, KafkaTail, reader_of(settings, may_be_away=True), system_clock)


def show(
    feed: BoardFeed, settings: Settings, sites: Sequence[str], stop: threading.Event, notes: Sequence[str] = ()
) -> None:
    """Draw the board until `stop` is set, `notes` above it."""
    console = Console()
    if console.is_terminal:
        logging.getLogger().setLevel(logging.ERROR)  # lines of a log would break the picture; it shows the faults
        with Live(console=console, screen=True, auto_refresh=False) as live:
            _draw_on(partial(live.update, refresh=True), feed, settings, sites, stop, console, REDRAW_SECONDS, notes)
    else:
        _draw_on(console.print, feed, settings, sites, stop, console, PRINT_SECONDS, notes)


def _draw_on(  # noqa: PLR0913, PLR0917  what `show` has, and where and how often
    put: Callable[[RenderableType], None],
    feed: BoardFeed,
    settings: Settings,
    sites: Sequence[str],
    stop: threading.Event,
    console: Console,
    every_seconds: float,
    notes: Sequence[str],
) -> None:
    draw_at = 0.0
    while not stop.is_set():
        feed.fold_new_records(min(0.2, max(0.0, draw_at - time.monotonic())))
        if time.monotonic() >= draw_at:
            # On a narrow screen the text of an incident wraps over several lines.
            lines_each = 1 if console.width >= WIDE else 3
            for_notes = sum(math.ceil(len(note) / console.width) for note in notes)
            rows = max(3, (console.height - USED_ROWS - for_notes) // lines_each)
            zones = tuple(dict.fromkeys(at.zone for name, at in settings.sites.items() if not sites or name in sites))
            view = dataclasses.replace(view_of(feed, sites, system_clock()), notes=notes, zones=zones)
            put(draw(view, settings.sites, rows, console.width))
            draw_at = time.monotonic() + every_seconds


def view_of(feed: BoardFeed, sites: Sequence[str], now: datetime) -> View:
    """Return what is to be shown: all sites, or those named."""
    return View(
        now=now,
        incidents=[i for i in feed.board.incidents(now) if not sites or i.site in sites],
        health=[health for health in feed.health(now) if not sites or health.site in sites],
        rates=feed.site_monitor.rates,
        refused=feed.unreadable_records,
        caught_up=feed.caught_up(),
    )


def _print_json(feed: BoardFeed, settings: Settings, sites: Sequence[str], stop: threading.Event) -> None:  # noqa: ARG001  as `show`
    shown: dict[str, bytes] = {}
    silent: dict[str, str] = {}
    while not stop.is_set():
        feed.fold_new_records(0.1)
        view = view_of(feed, sites, system_clock())
        for incident in reversed(view.incidents):
            line = msgspec.json.encode(summary(incident))
            if shown.get(incident.incident_id) != line:
                shown[incident.incident_id] = line
                click.echo(line)
        for gone in shown.keys() - {incident.incident_id for incident in view.incidents}:
            del shown[gone]
            click.echo(msgspec.json.encode(_gone_line(gone, feed.board.incident_of(gone, view.now), view.incidents)))
        for health in view.health:
            if silent.get(health.site) != health.why_silent:
                silent[health.site] = health.why_silent
                click.echo(msgspec.json.encode(_site_line(health, view.now)))


def summary(incident: Incident) -> dict[str, object]:
    """Return an incident as programs get it: what it is, where, how sure, why, and who has it in hand."""
    best = incident.best
    return {
        "type": "incident",
        "incident_id": incident.incident_id,
        "site": incident.site,
        "plate": incident.plate,
        "status": incident.status,
        "kind": best.kind,
        "tier": best.tier,
        "certainty": certainty(best),
        "read_as": best.read.plate,
        "camera": best.read.camera,
        "lane": best.read.lane,
        "direction": best.read.direction,
        "first_captured_at": incident.first_captured_at,
        "last_captured_at": incident.last_captured_at,
        "alerts": len(incident.alerts),
        "entries": sorted({alert.entry.entry_id for alert in incident.standing or incident.alerts}),
        "priority": incident.priority,
        "warnings": best.entry.warnings,
        "reason": best.entry.reason,
        "instruction": best.entry.instruction,
        "holders": incident.holders,
    }


def _gone_line(incident_id: str, now_in: Incident | None, shown: Sequence[Incident]) -> dict[str, object]:
    """Return what became of an incident whose id is no longer shown: another took it in, or it is too old."""
    if now_in is not None and now_in in shown:
        return {"type": "incident", "incident_id": incident_id, "status": "joined", "into": now_in.incident_id}
    return {"type": "incident", "incident_id": incident_id, "status": "expired"}


def _site_line(health: SiteHealth, now: datetime) -> dict[str, object]:
    heard = health.heard_at
    return {
        "type": "site",
        "site": health.site,
        "is_silent": health.is_silent,
        "why_silent": health.why_silent,
        "heard_at": heard,
        "heard_seconds_ago": None if heard is None else round((now - heard).total_seconds(), 1),
        "matchers": [status.matcher for status in health.matchers],
    }
