"""The terminal view: incidents and the health of the sites, drawn with rich. Pure.

Faults stand on top, so that nobody takes a broken view for a quiet road: a site whose matchers report nothing, a
watchlist that Redis no longer confirms, a camera that has seen nothing, records that could not be read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from anpr.board.back_checks import BackCheckHealth, back_check_faults
from anpr.board.incident import Incident
from anpr.board.journeys import ALWAYS, ArrivalState, Concern
from anpr.board.missing_records import missing_in_words
from anpr.board.rates import RecentRates, percentile
from anpr.board.site_health import NOT_READ_YET, SiteHealth
from anpr.contracts.events import Alert, Explanation, Status
from anpr.contracts.losses import SiteLosses
from anpr.contracts.moments import local_time
from anpr.contracts.readings import is_guess
from anpr.runtime.plurals import counted
from anpr.runtime.printable_text import printable
from anpr.runtime.settings import Camera, Site
from anpr.terminal.ages import age
from anpr.terminal.arrival_words import arrival_doubt, arrival_time, arrival_words, nobody_checks_arrivals
from anpr.terminal.certainty import certainty
from anpr.terminal.claim_words import UNATTENDED

# A watchlist that Redis has not confirmed for this long may lack changes.
LIST_OLD_AFTER = timedelta(seconds=10)
CAMERA_QUIET_AFTER = timedelta(minutes=5)

# How the age of an incident is marked that was not seen live. EARLIER: the vehicle passed before it was listed.
_NOT_LIVE = {"late": " LATE", "retrospective": " EARLIER"}

NOTHING_CLAIMED: Final[Mapping[str, str]] = MappingProxyType({})
# The table of sites needs this many columns.
WIDE = 120


@dataclass(frozen=True, slots=True)
class View:
    """Everything that is shown at one moment.

    `unread_sites` are those whose earlier records have not been read to their end yet. `zones` are the time zones of
    the sites shown, `faults` what the program knows to be broken on its own machine.
    `watched_until` says by port where arrivals should be met until when they were (`journeys.arrival_state`). By
    incident, `claimed` says who has claimed it, and `expected` where its vehicle is due off a ferry or shuttle, and
    what became of it there. By port, `back_checks` says whether somebody checks if newly listed vehicles have
    passed already.
    """

    now: datetime
    incidents: Sequence[Incident]
    health: Sequence[SiteHealth]
    rates: RecentRates
    unreadable_records: Mapping[str, int]
    unread_sites: frozenset[str]
    losses: Mapping[str, SiteLosses] = field(default_factory=dict)
    missed_records: Mapping[str, int] = field(default_factory=dict)
    zones: Sequence[tzinfo] = (UTC,)
    faults: Sequence[str] = ()
    watched_until: Mapping[str, datetime] = field(default_factory=dict)
    back_checks: Mapping[str, BackCheckHealth] = field(default_factory=dict)
    claimed: Mapping[str, str] = field(default_factory=dict)
    expected: Mapping[str, Sequence[tuple[Concern, ArrivalState]]] = field(default_factory=dict)


def draw(view: View, sites: Mapping[str, Site], rows: int, width: int = WIDE) -> RenderableType:
    """Draw the whole view, with the `rows` most urgent incidents, for a screen of `width` columns."""
    faults = list(_faults(view, sites))
    is_open = sum(incident.status == "open" for incident in view.incidents)
    # As on the consoles: with any fault, nobody knows how many there are.
    count = "? open incidents" if faults else counted(is_open, "open incident")
    clocks = " / ".join(f"{view.now.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}" for zone in view.zones)
    health = _sites(view, sites) if width >= WIDE else _sites_narrow(view, sites)
    parts: list[RenderableType] = [*(_plain(f" ! {fault}", style="bold white on red") for fault in faults), health]
    if view.incidents:
        incidents = _incidents(view, sites, rows) if width >= WIDE else _incidents_narrow(view, sites, rows)
    else:
        nothing = "reading" if view.unread_sites else "not known: see the red lines" if faults else "no incidents"
        incidents = Text(nothing, style="dim")
    parts.append(Panel(incidents, title=f"{count}   {clocks}", title_align="left"))
    if (more := len(view.incidents) - rows) > 0:
        parts.append(Text(f"{counted(more, 'more incident')}, less urgent than these", style="dim"))
    return Group(*parts)


def _faults(view: View, sites: Mapping[str, Site]) -> Iterator[str]:
    yield from view.faults
    if view.unread_sites:
        yield "Reading earlier records. Not everything is shown yet"
    yield from _each_once(
        (sites[health.site].title, fault)
        for health in view.health
        # A program that still reads has not heard of the site lately. Only what keeps it from reading is a fault.
        if health.why_silent != NOT_READ_YET
        for fault in dict.fromkeys(_faults_of_site(health, view.now))
    )
    for site, until in view.watched_until.items():
        if until != ALWAYS and site not in view.unread_sites:
            yield f"{sites[site].title}: {nobody_checks_arrivals(until, sites[site].zone)}"
    yield from _each_once(_faults_of_back_checks(view, sites))
    for site, losses in view.losses.items():
        if losses.unacknowledged:
            yield f"{sites[site].title}: {losses.in_words(_clock_in(view.zones[0]))}"
    yield from _faults_of_records(view, sites)


def _faults_of_back_checks(view: View, sites: Mapping[str, Site]) -> Iterator[tuple[str, str]]:
    """Yield each port with a fault of its back-check, once its last report is known."""
    read = {site: back_check for site, back_check in view.back_checks.items() if site not in view.unread_sites}
    for site, fault in back_check_faults(read, view.health, view.now):
        since = f"{local_time(fault.since, sites[site].zone):%a %H:%M %Z}" if fault.since else ""
        yield sites[site].title, fault.what.removesuffix(".").replace("{since}", since)


def _each_once(faults: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield each fault once, after the names of all ports that have it."""
    ports_with: dict[str, list[str]] = {}
    for port, fault in faults:
        ports_with.setdefault(fault, []).append(port)
    yield from (f"{', '.join(ports)}: {fault}" for fault, ports in ports_with.items())


def _faults_of_records(view: View, sites: Mapping[str, Site]) -> Iterator[str]:
    for words in missing_in_words(view.missed_records, sites):
        yield f"{words} missing: deleted before this program had read so far"
    for words in missing_in_words(view.unreadable_records, sites):
        yield f"{words} could not be read"


def _clock_in(zone: tzinfo) -> Callable[[datetime], str]:
    return lambda moment: f"{local_time(moment, zone):%a %H:%M:%S %Z}"


def _faults_of_site(health: SiteHealth, now: datetime) -> Iterator[str]:
    why = ". `anpr doctor` says why" if health.why_silent else ""  # the reason names a broker: it is for engineers
    if health.heard_at is None:
        yield f"no matcher has reported yet. Vehicles are NOT being checked{why}"
    elif health.is_silent:
        yield f"no matcher has reported for {age(now - health.heard_at)}. Vehicles may be passing unchecked{why}"
    elif not any(status.partitions for status in health.matchers):
        yield "no matcher reads any camera yet. Vehicles are NOT being checked"
    for status in health.matchers:
        if status.generation is None:
            yield "a matcher has never had a watchlist. It checks nothing"
        elif status.list_confirmed_at is None:
            yield "the watchlist has not been confirmed since the start. Changes may be missing"
        elif (unconfirmed := now - status.list_confirmed_at) > LIST_OLD_AFTER:
            yield f"the watchlist was last confirmed {age(unconfirmed)} ago. Changes may be missing"


def _sites(view: View, sites: Mapping[str, Site]) -> Table:
    table = Table(expand=True, box=None, header_style="dim")
    for column in (
        "site",
        "matchers",
        "reads/s",
        "capture to alert p50 p99",
        "to view p50 p99",
        "waiting",
        "list",
        "cameras",
    ):
        table.add_column(column, no_wrap=column not in ("list", "cameras"), ratio=1 if column == "cameras" else None)
    for health in view.health:
        matchers = _matchers(health)
        lags = [status.lag for status in health.matchers if status.lag is not None]
        table.add_row(
            _plain(sites[health.site].title),
            matchers,
            "?" if health.is_silent else f"{view.rates.reads_per_second(health.site):.1f}",
            _latency(view.rates.raised_seconds(health.site)),
            _latency(view.rates.shown_seconds(health.site)),
            str(sum(lags)) if lags else "?",
            _list(health.matchers, view.now),
            _cameras(health, sites[health.site], view.now),
        )
    return table


def _matchers(health: SiteHealth) -> Text:
    if health.why_silent == NOT_READ_YET:
        return Text("reading")
    if health.is_silent:
        return Text("CUT OFF", style="bold red")
    return Text(str(len(health.matchers)), style="green")


def _sites_narrow(view: View, sites: Mapping[str, Site]) -> Table:
    """Return a table for a screen of 80 columns, with one line for each site."""
    table = Table(expand=True, box=None, header_style="dim", pad_edge=False)
    for column in ("site", "matchers", "reads/s", "alert p50 p99", "list ", "cameras"):
        table.add_column(column, no_wrap=True, ratio=1 if column == "cameras" else None)
    for health in view.health:
        table.add_row(
            _plain(sites[health.site].title),
            _matchers(health),
            "?" if health.is_silent else f"{view.rates.reads_per_second(health.site):.1f}",
            _latency(view.rates.raised_seconds(health.site)),
            _list(health.matchers, view.now),
            _quiet_cameras(health, sites[health.site], view.now),
        )
    return table


def _latency(seconds: Sequence[float]) -> str:
    p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
    return "-" if p50 is None or p99 is None else f"{p50 * 1000:.0f} {p99 * 1000:.0f} ms"


def _list(matchers: Sequence[Status], now: datetime) -> str:
    if not matchers:
        return "?"
    lists = [(status.generation, status) for status in matchers if status.generation]
    _, newest = max(lists, key=lambda pair: pair[0], default=(None, None))
    if newest is None or newest.list_applied_at is None:
        return "none"
    return f"{counted(newest.entries, 'entry', 'entries')}, {age(now - newest.list_applied_at)} old"


def _last_reads(health: SiteHealth) -> dict[str, datetime]:
    last_read_of: dict[str, datetime] = {}
    for status in health.matchers:
        for name, read_at in status.cameras.items():
            last_read_of[name] = max(read_at, last_read_of.get(name, read_at))
    return last_read_of


def _cameras(health: SiteHealth, site: Site, now: datetime) -> Text:
    """Return each camera, by lane and position, with the age of its last read."""
    if not health.matchers:
        return Text("?")
    last_read_of = _last_reads(health)
    text = Text()
    for camera in site.cameras:
        text.append(
            f"{_camera(camera, last_read_of, now)}  ",
            style="red" if _is_quiet(camera, last_read_of, now) else "dim",
        )
    return text


def _quiet_cameras(health: SiteHealth, site: Site, now: datetime) -> Text:
    """Return how many of the cameras see nothing, and the name of a single one."""
    if not health.matchers:
        return Text("?")
    last_read_of = _last_reads(health)
    quiet = [camera for camera in site.cameras if _is_quiet(camera, last_read_of, now)]
    if not quiet:
        return Text(f"all {len(site.cameras)} see", style="dim")
    if len(quiet) == 1:
        return Text(_camera(quiet[0], last_read_of, now), style="red")
    return Text(f"{len(quiet)}/{len(site.cameras)} quiet", style="red")


def _is_quiet(camera: Camera, last_read_of: Mapping[str, datetime], now: datetime) -> bool:
    last_read_at = last_read_of.get(camera.name)
    return last_read_at is None or now - last_read_at > CAMERA_QUIET_AFTER


def _camera(camera: Camera, last_read_of: Mapping[str, datetime], now: datetime) -> str:
    last_read_at = last_read_of.get(camera.name)
    return f"{camera.lane}{camera.position[0]} {age(now - last_read_at) if last_read_at else 'none'}"


def _incidents(view: View, sites: Mapping[str, Site], rows: int) -> RenderableType:
    table = Table(expand=True, box=None, header_style="dim", pad_edge=False)
    for column in ("", "ago", "site", "lane", "read", "listed", "certainty", "why and what to do", "claimed"):
        table.add_column(column, no_wrap=column not in ("why and what to do", "certainty"))
    for incident in view.incidents[:rows]:
        best = incident.best
        style = "" if incident.status == "open" else "dim"
        table.add_row(
            f"P{incident.priority}" if incident.status == "open" else incident.status,
            f"{age(view.now - incident.last_captured_at)}{_NOT_LIVE.get(incident.kind, '')}",
            _plain(sites[incident.site].title if incident.site in sites else incident.site),
            _plain(best.read.lane or "-"),
            _read_as(best),
            _marked(best.explanation, read=False),
            _plain(certainty(best)),
            _why_and_where(view, incident, sites),
            _claimed(incident, view.claimed),
            style=style,
        )
    return table


def _incidents_narrow(view: View, sites: Mapping[str, Site], rows: int) -> Text:
    """Return two lines for each incident, the reasons on the second."""
    text = Text()
    for incident in view.incidents[:rows]:
        best = incident.best
        mark = f"P{incident.priority}" if incident.status == "open" else incident.status
        text.append(f"{mark} {age(view.now - incident.last_captured_at)}{_NOT_LIVE.get(incident.kind, '')} ")
        text.append(_plain(sites[incident.site].title if incident.site in sites else incident.site))
        text.append(" lane ").append(_plain(best.read.lane or "-")).append(" ")
        text.append(_read_as(best)).append(" ")
        if best.explanation.differences or is_guess(best):
            text.append("listed ").append(_marked(best.explanation, read=False)).append(" ")
        text.append(_plain(certainty(best)))
        if incident.holders:
            text.append(" claimed by ").append(_claimed(incident, view.claimed))
        text.append("\n  ").append(_why_and_where(view, incident, sites)).append("\n")
    text.rstrip()
    return text


def draw_arrivals(
    expected: Sequence[tuple[Incident, Concern, ArrivalState]],
    sites: Mapping[str, Site],
    site: str,
    width: int = WIDE,
    claimed: Mapping[str, str] = NOTHING_CLAIMED,
) -> RenderableType:
    """Draw the vehicles that are expected off a ferry or shuttle at `site`, in the order given.

    Times are those of the site. `claimed` says by incident who has claimed it.
    """
    port = sites[site]
    if not expected:
        return Text(f"No listed vehicle is due at {port.title}")
    if width < WIDE:
        return _arrivals_narrow(expected, sites, port, claimed)
    table = Table(expand=True, box=None, header_style="dim", pad_edge=False)
    for column in ("", "when", "from", "plate", "", "certainty", "why and what to do", "claimed by"):
        table.add_column(column, no_wrap=column not in ("from", "why and what to do", "certainty"))
    for incident, concern, state in expected:
        table.add_row(
            _plain(state, style=_style(state)),
            _plain(arrival_time(concern, port.zone)),
            _plain(f"{sites[incident.site].title} by {concern.route.by}"),
            _plain(incident.plate, style="bold"),
            f"P{incident.priority}",
            _plain(_certainty_of_arrival(incident, concern)),
            _why(incident),
            _claimed(incident, claimed) if incident.holders else "nobody",
        )
    return table


def _style(state: ArrivalState) -> str:
    return "bold red" if state in ("overdue", "unwatched") else "bold"


def _certainty_of_arrival(incident: Incident, concern: Concern) -> str:
    doubt = arrival_doubt(concern)
    return certainty(incident.best) + (f"; on arrival: {doubt}" if doubt else "")


def _why_and_where(view: View, incident: Incident, sites: Mapping[str, Site]) -> Text:
    """Return the reasons and what to do, as sentences apart from where the vehicle is due."""
    why, expected = _why(incident), _expected(view, incident, sites)
    if expected and not why.plain.endswith((".", "!", "?")):
        why.append(".")
    return why.append(expected)


def _expected(view: View, incident: Incident, sites: Mapping[str, Site]) -> Text:
    """Return where the vehicle is due and whether it was met there, "" for one that is due nowhere."""
    text = Text()
    for concern, state in view.expected.get(incident.incident_id, ()):
        port = sites[concern.route.destination]
        style = _style(state)
        text.append(_plain(f" {port.title}: {arrival_words(concern, state, port.zone)}.", style=style))
    return text


def _arrivals_narrow(
    expected: Sequence[tuple[Incident, Concern, ArrivalState]],
    sites: Mapping[str, Site],
    port: Site,
    claimed: Mapping[str, str],
) -> Text:
    """Return two lines for each vehicle, the reasons on the second."""
    text = Text()
    for incident, concern, state in expected:
        text.append(_plain(state, style=_style(state)))
        text.append(_plain(f" {arrival_time(concern, port.zone)} from {sites[incident.site].title} "))
        text.append(_plain(f"by {concern.route.by} ")).append(_plain(incident.plate, style="bold"))
        text.append(f" P{incident.priority} ")
        text.append(_plain(_certainty_of_arrival(incident, concern)))
        if incident.holders:
            text.append(", claimed by ").append(_claimed(incident, claimed))
        text.append("\n  ").append(_why(incident)).append("\n")
    text.rstrip()
    return text


def _claimed(incident: Incident, claimed: Mapping[str, str]) -> Text:
    text = _plain(claimed.get(incident.incident_id, ""))
    text.highlight_words([UNATTENDED], "bold red")
    return text


def _marked(explanation: Explanation, *, read: bool) -> Text:
    """Return a plate with those letters marked in which the read and the listed plate differ."""
    text = _plain(
        explanation.read_as if read else explanation.listed_as, style="bold black on yellow" if read else "bold"
    )
    for difference in explanation.differences:
        span = difference.span(read=read)
        text.stylize("underline bold red", span.start, span.stop)
    return text


def _read_as(alert: Alert) -> Text:
    """Return the plate as the camera read it first, where only a later guess matches; else as it matched."""
    if is_guess(alert):
        return _plain(alert.read.plate, style="bold black on yellow")
    return _marked(alert.explanation, read=True)


def _why(incident: Incident) -> Text:
    """Return the warnings, then the reason and instruction of every standing entry, so that none hides another."""
    text = Text()
    for warning in incident.warnings:
        text.append(_plain(f"{warning.upper()}. ", style="bold red"))
    reasons: list[str] = []
    said: set[str] = set()
    for entry in incident.entries:
        # What several entries say alike is said once.
        instruction = "" if entry.instruction in said else entry.instruction
        reasons.append(". ".join(filter(None, (entry.reason or entry.category or entry.list, instruction))))
        said.add(entry.instruction)
    return text.append(_plain(" / ".join(reasons)))


def _plain(text: str, style: str = "") -> Text:
    """Return text of a camera, a list or an officer without markup and control characters for the terminal."""
    return Text(printable(text), style=style)
