"""The vehicles that are expected at a port and were not seen there yet, from the incidents of a board. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from anpr.board.incident import Incident, certainty_order
from anpr.board.journeys import Concern, concern_of, is_of_guess, may_be_met
from anpr.contracts.events import Alert, Arrival, Entry, Read
from anpr.contracts.moments import shifted
from anpr.contracts.plates import is_pattern
from anpr.runtime.settings import Route

_FOR_EVER = datetime.max.replace(tzinfo=UTC)
_JUST_BEFORE = timedelta(microseconds=-1)


class ExpectedVehicle(NamedTuple):
    """A vehicle that is expected: what is looked for, in which captures, and the alert that its arrival names.

    With `is_guessed`, a guess of a camera has been published already, and only a true reading is news. `of_others`
    have been published too, and turned out to be another vehicle.
    """

    alert: Alert
    entry: Entry
    seen_from: datetime
    until: datetime
    is_guessed: bool = False
    of_others: frozenset[Arrival] = frozenset()

    def was_another(self, read: Read) -> bool:
        """Tell whether a read of the port has been published and turned out to be another vehicle."""
        others = {(other.camera, other.read_id, other.captured_at) for other in self.of_others}
        return (read.camera, read.read_id, read.captured_at) in others


def expected_vehicles(
    incidents: Iterable[Incident], site: str, routes: Mapping[str, Route], now: datetime, *, covert: bool
) -> list[ExpectedVehicle]:
    """Return the vehicles that may have reached `site` by now and were not seen there.

    `routes` are those that lead to `site`, by their origin. With `covert`, those that a covert alert makes expected,
    else those that an open one does: an arrival is published to those who may know of the alert that it names.
    """
    found = []
    for incident in incidents:
        concern = concern_of(incident, site, routes)
        if concern is None or concern.seen_from is None or not may_be_met(incident, concern, site, now):
            continue
        named = [alert for alert in incident.standing if alert.is_covert == covert]
        is_guessed = concern.met is not None and is_of_guess(concern.met)
        is_awaited = concern.met is None or is_guessed
        if named and is_awaited and concern.seen_from <= now:
            alert = min(named, key=certainty_order)
            until = _until(concern, is_claimed=site in incident.holders)
            others = frozenset(one for one in incident.of_others if one.site == site)
            found.append(ExpectedVehicle(alert, _wanted_entry(alert), concern.seen_from, until, is_guessed, others))
    return found


def _until(concern: Concern, *, is_claimed: bool) -> datetime:
    """Return the last moment at which a sighting is the arrival."""
    until = _FOR_EVER if is_claimed else concern.until
    return until if concern.seen_before is None else min(until, shifted(concern.seen_before, _JUST_BEFORE))


def _wanted_entry(alert: Alert) -> Entry:
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
