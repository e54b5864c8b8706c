"""A look-up as lines of text for a terminal. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo

from anpr.console import labels
from anpr.console.local_time import day_text
from anpr.contracts.events import Action, Alert
from anpr.contracts.look_up import FoundSighting, LookUp
from anpr.contracts.moments import local_time
from anpr.look_up.explanation_words import explanation_words
from anpr.look_up.timeline import Stay, Timeline, seen_at
from anpr.runtime.printable_text import printable
from anpr.runtime.settings import Site


class VehicleText:
    """Writes look-ups of an installation."""

    def __init__(self, sites: Mapping[str, Site], zone: tzinfo) -> None:
        """`zone` is that of the asking site, for the period. What a site saw has the times of that site."""
        self._sites = sites
        self._zone = zone

    def missing(self, timeline: Timeline) -> list[str]:
        """Return what nobody can tell: the sites that did not answer, and those whose answer is cut off."""
        no_answer = [
            f"NO ANSWER from {self._title(r.site)}: {r.problem}. What it saw is missing" for r in timeline.missing
        ]
        cut_off = [
            f"CUT OFF: {self._title(site)} has more reads than an answer holds. Its oldest are missing"
            for site in timeline.cut_off
        ]
        return [*no_answer, *cut_off]

    def lines(self, look_up: LookUp, timeline: Timeline) -> Iterator[str]:
        """Yield the lines: what is missing, the stays from the newest on, then the possible misreads.

        What cameras, officers and other sites wrote in them neither steers the terminal nor begins a line.
        """
        yield from map(printable, self._lines(look_up, timeline))

    def _lines(self, look_up: LookUp, timeline: Timeline) -> Iterator[str]:
        yield f"{look_up.plate}, {_day_time(look_up.since, self._zone)} to {_day_time(look_up.until, self._zone)}"
        yield from self.missing(timeline)
        if timeline.is_empty:
            yield "No port that answered has seen it" if timeline.missing else "No port has seen it"
        for site, day in timeline.kept_since.items():
            if day > look_up.since.date():
                yield f"{self._title(site)} has no reads from before {day_text(day)}"
        for stay in timeline.stays:
            yield ""
            yield from self._stay(stay)
        if timeline.possible_misreads:
            yield ""
            yield "POSSIBLE MISREADS: the camera read another plate. It may be this vehicle or another one"
        for stay in timeline.possible_misreads:
            yield ""
            yield from self._stay(stay)
            yield from (f"    {words}" for words in explanation_words(stay.likeliest.explanation))

    def _stay(self, stay: Stay) -> Iterator[str]:
        zone = self._sites[stay.site].zone
        facts = [self._title(stay.site)]
        if stay.lanes:
            facts.append(f"lane{'s' if len(stay.lanes) > 1 else ''} {' and '.join(stay.lanes)}")
        facts += [labels.DIRECTION.get(direction, direction) for direction in stay.directions]
        best = stay.likeliest
        if not best.is_this_plate:
            facts.append(f"read as {best.read.plate}, probability {best.probability:.0%}")
        yield f"{_day_time(stay.last_seen_at, zone)}  {', '.join(facts)}"
        yield from (f"    alert: {_alert(alert)}" for alert in stay.alerts)
        for action in stay.actions:
            undone = " (undone)" if stay.is_undone(action) else ""
            yield f"    {_time(action.at, zone)}  {self._action(action)}{undone}"
        yield from (f"    {_time(seen_at(one), zone)}  {_read(one)}" for one in stay.sightings)

    def _action(self, action: Action) -> str:
        note = f': "{action.note}"' if action.note else ""
        return f"{action.officer} ({self._title(action.site)}) {labels.describe_action(action)}{note}"

    def _title(self, site: str) -> str:
        return self._sites[site].title if site in self._sites else site


def _alert(alert: Alert) -> str:
    entry = alert.entry
    covert = ", COVERT" if alert.is_covert else ""
    return f"priority {entry.priority}, {entry.list}{covert}: {entry.reason or entry.category or entry.entry_id}"


def _read(sighting: FoundSighting) -> str:
    read = sighting.read
    parts = [read.plate, read.country, f"lane {read.lane}" if read.lane else None, read.camera, read.position]
    picture = f"picture {read.image}" if read.image else "no picture"
    return "  ".join([*(part for part in parts if part), picture])


def _day_time(moment: datetime, zone: tzinfo) -> str:
    return f"{local_time(moment, zone):%a %d %b %Y %H:%M:%S %Z}"


def _time(moment: datetime, zone: tzinfo) -> str:
    return f"{local_time(moment, zone):%H:%M:%S}"
