"""The vehicles that are expected at a port and were not seen there yet, from the incidents of a board. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from anpr.board.incident import Incident, certainty_order
from anpr.board.journeys import arrivals, is_of_guess
from anpr.contracts.events import Alert, Entry
from anpr.contracts.plates import is_pattern
from anpr.runtime.settings import Route

_FOR_EVER = datetime.max.replace(tzinfo=UTC)


class Expected(NamedTuple):
    """A vehicle that is expected: what is looked for, in which captures, and the alert that its arrival names.

    With `is_guessed`, a guess of a camera has been told already, and only a true reading is news.
    """

    alert: Alert
    entry: Entry
    seen_from: datetime
    until: datetime
    is_guessed: bool = False


def expected_vehicles(
    incidents: Iterable[Incident], site: str, routes: Mapping[str, Route], now: datetime, *, covert: bool
) -> list[Expected]:
    """Return the vehicles that may have reached `site` by now and were not seen there.

    `routes` are those that lead to `site`, by their origin. With `covert`, those that a covert alert makes expected,
    else those that an open one does: an arrival is told to those who may know of the alert that it names.
    """
    found = []
    for incident, concern in arrivals(incidents, site, routes, now):
        named = [alert for alert in incident.standing if alert.is_covert == covert]
        is_guessed = concern.met is not None and is_of_guess(concern.met)
        may_be_met = concern.met is None or is_guessed
        if named and may_be_met and concern.seen_from is not None and concern.seen_from <= now:
            alert = min(named, key=certainty_order)
            until = _FOR_EVER if site in incident.holders else concern.until
            found.append(Expected(alert, _looked_for(alert), concern.seen_from, until, is_guessed))
    return found


def _looked_for(alert: Alert) -> Entry:
    """Return the entry by which the engine finds the vehicle of an alert, wherever and whenever it is.

    Of a pattern, it is the plate that was read. The least sure tier counts nowhere: a neighbour of the listed plate
    is no arrival of it.
    """
    entry, of_pattern = alert.entry, is_pattern(alert.entry.plate)
    return msgspec.structs.replace(
        entry,
        plate=alert.plate if of_pattern else entry.plate,
        country=alert.read.country if of_pattern else entry.country,
        tolerance="exact" if entry.tolerance == "exact" and not of_pattern else "tolerant",
        sites=(),
        directions=(),
        valid_from=None,
        valid_from_day=None,
        valid_until=_FOR_EVER,
        valid_until_day=None,
    )
