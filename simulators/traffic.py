"""The traffic of one site as its cameras report it: the same seed gives the same reads.

The timetable says when vehicles come. Each takes the lane that is free first, and passes its front and rear cameras,
which read it several times. All records of one vehicle are made at once and kept in a heap until their time. So
records come out in order of publication, and a run of days has only a few passes in memory.
"""

import heapq
from collections.abc import Iterator, Sequence
from itertools import count
from random import Random
from typing import NamedTuple

from anpr.contracts.events import Read
from simulators import ocr, pass_records, vehicles
from simulators.cameras import Lane
from simulators.fleets import Fleets
from simulators.journeys import Journeys, Visit
from simulators.pass_records import Pass, Record
from simulators.site_scenario import SiteScenario, StagedArrival
from simulators.timetable import Arrival, arrivals
from simulators.vehicles import Plate, Vehicle

# Two vehicles in a lane are at least this far apart.
_HEADWAY_S = 5.0
# These passes of each site are listed vehicles at any share, so that nobody has to wait in a demonstration.
_FIRST_LISTED_PASSES = (3, 7, 13)
# The share of lorries from fleets that come to this port again and again: an estimate.
_FLEET_SHARE = 0.15


class Sighting(NamedTuple):
    """One record to publish. Times are simulated seconds since the start of the traffic.

    The read has no capture time yet, because only the run knows the moment of the start. A buffered pass was captured
    `late_by_s` *real* seconds earlier, at any speed, because lateness is judged by the real clock. `true_plate` is
    the plate that was really there, and `quality` how badly it was seen, from 0 (best) on. The camera's clock is
    `clock_s` real seconds ahead. `is_plate` is false for a badge or livery that was read as a plate.
    """

    published_s: float
    captured_s: float
    late_by_s: float
    clock_s: float
    read: Read
    true_plate: Plate
    quality: int
    vehicle_pass: Pass
    is_duplicate: bool
    is_plate: bool
    is_first_of_pass: bool
    is_last_of_pass: bool


class Listed(NamedTuple):
    """The plates of the listed vehicles, those for the first passes, and the share of passes that are listed."""

    plates: Sequence[Plate] = ()
    first: Sequence[Plate] = ()
    share: float = 0.001


def traffic(  # noqa: PLR0913  each of them decides which vehicles come
    site: str,
    lanes: Sequence[Lane],
    seed: int,
    *,
    at_s: float,
    volume: float = 1.0,
    listed: Listed | None = None,
    scenario: SiteScenario | None = None,
) -> Iterator[Sighting]:
    """Yield the records of the site's cameras, in order of publication and without end.

    Args:
        site: one of `timetable.SERVICES`.
        lanes: the site's lanes and cameras.
        seed: with all else equal, the same seed gives the same reads.
        at_s: where in the timetable the traffic begins, in seconds since midnight.
        volume: a factor of an average day's traffic; 2.4 is a peak day. At most 10.
        listed: the vehicles that are on a list.
        scenario: what a scenario changes at this site.
    """
    rng = Random(f"{seed} {site}")
    recogniser = ocr.load()
    fleets = Fleets(rng)
    free_s = dict.fromkeys(lanes, 0.0)
    pending: list[tuple[float, int, Sighting]] = []
    order = count()
    scenario = scenario or SiteScenario()
    journeys = scenario.journeys
    for number, (came_s, arrival) in enumerate(_all_arrivals(arrivals(site, at_s, volume, rng), at_s, scenario), 1):
        for visit in journeys.due(came_s) if journeys else ():
            visiting = _visiting_pass(visit, rng)
            for sighting in _sightings(visiting, pass_records.records_of(visiting, visit.at_s, recogniser, rng)):
                heapq.heappush(pending, (sighting.published_s, next(order), sighting))
        # No record of a later vehicle is published before that vehicle comes.
        while pending and pending[0][0] <= came_s:
            yield heapq.heappop(pending)[2]
        staged = arrival if isinstance(arrival, StagedArrival) else None
        vehicle = (
            _staged_vehicle(staged, rng)
            if staged
            else _vehicle(arrival.kind, number, _at_home(listed or Listed(), journeys, came_s), fleets, rng)
        )
        lane = min(free_s, key=free_s.__getitem__)
        passed_s = max(came_s, free_s[lane])
        free_s[lane] = passed_s + _HEADWAY_S
        vehicle_pass = pass_records.make_pass(f"{site}-{seed}-{number}", site, vehicle, lane, rng)
        if staged:
            vehicle_pass = vehicle_pass._replace(going=staged.going, late_by_s=staged.late_by_s, staged=True)
        if journeys:
            vehicle_pass = journeys.begin(vehicle_pass, passed_s, staged.fate if staged else None)
        records = pass_records.records_of(vehicle_pass, passed_s, recogniser, rng)
        if scenario.badge_share and rng.random() < scenario.badge_share:
            records.append(pass_records.badge_record(vehicle_pass, passed_s, rng.choice(scenario.badges), rng))
        for disturb in scenario.disturbances:
            records = disturb(records)
        for sighting in _sightings(vehicle_pass, records):
            heapq.heappush(pending, (sighting.published_s, next(order), sighting))


def _all_arrivals(
    ordinary: Iterator[Arrival], at_s: float, scenario: SiteScenario
) -> Iterator[tuple[float, Arrival | StagedArrival]]:
    """Yield all arrivals in order of time, each with its moment in seconds since the start of the traffic."""
    timed = ((arrival.at_s - at_s, arrival) for arrival in ordinary)
    staged = ((arrival.at_s, arrival) for arrival in scenario.staged_arrivals)
    return heapq.merge(timed, staged, key=lambda arrival: arrival[0])


def _staged_vehicle(staged: StagedArrival, rng: Random) -> Vehicle:
    return vehicles.make_vehicle(staged.kind, rng, staged.plate)._replace(listed=True)


def _at_home(listed: Listed, journeys: Journeys | None, now_s: float) -> Listed:
    """Return the listed vehicles without those that are under way."""
    if journeys is None:
        return listed
    return listed._replace(plates=journeys.at_home(listed.plates, now_s), first=journeys.at_home(listed.first, now_s))


def _visiting_pass(visit: Visit, rng: Random) -> Pass:
    """Return the pass of a vehicle that comes from another site. It is read well: the truth depends on it."""
    made = pass_records.make_pass(f"{visit.site}-after-{visit.from_pass}", visit.site, visit.vehicle, visit.lane, rng)
    return made._replace(going="onward", late_by_s=0.0, staged=True)._replace(
        came_from=visit.from_pass, turned_away_from=visit.turned_away_from
    )


def _vehicle(kind: str, number: int, listed: Listed, fleets: Fleets, rng: Random) -> Vehicle:
    """Return the vehicle of the site's pass with that number."""
    if listed.first and number in _FIRST_LISTED_PASSES:
        return vehicles.make_listed_vehicle(kind, listed.first, rng)
    if listed.plates and rng.random() < listed.share:
        return vehicles.make_listed_vehicle(kind, listed.plates, rng)
    if kind == "lorry" and rng.random() < _FLEET_SHARE:
        return vehicles.make_vehicle(kind, rng, fleets.draw(rng))
    return vehicles.make_vehicle(kind, rng)


def _sightings(vehicle_pass: Pass, records: list[Record]) -> Iterator[Sighting]:
    """Mark the first and the last record of a pass, so that nobody has to remember the pass after that."""
    records.sort(key=lambda record: record.published_s)
    for i, record in enumerate(records):
        yield Sighting(
            record.published_s,
            record.captured_s,
            record.late_by_s,
            record.clock_s,
            record.read,
            record.true_plate,
            record.quality,
            vehicle_pass,
            record.is_duplicate,
            record.is_plate,
            is_first_of_pass=i == 0,
            is_last_of_pass=i == len(records) - 1,
        )
