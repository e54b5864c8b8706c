"""The traffic of one site as its cameras report it: the same seed gives the same reads.

Theory of operation: the timetable says when vehicles come, each takes the lane that is free first, and goes by its
front and a rear camera that read it several times. What the cameras send of one vehicle is made at once and held
in a heap until its time, so that records come out in order of publication and a run of days holds a few passes.
"""

import heapq
from collections.abc import Iterator, Sequence
from itertools import count
from random import Random
from typing import NamedTuple

from anpr.contracts.events import Read
from simulators import ocr, passes, vehicles
from simulators.cameras import Lane
from simulators.fleets import Fleets
from simulators.passes import Pass, Record
from simulators.stage import Coming, Stage
from simulators.timetable import Arrival, arrivals
from simulators.vehicles import Plate, Vehicle

# Two vehicles in a lane are at least this far apart.
_HEADWAY_S = 5.0
# The passes of each site that are listed vehicles whatever the share says, so that a demonstration need not wait.
_FIRST_LISTED_PASSES = (3, 7, 13)
# Lorries of fleets that come to this port again and again: an estimate.
_FLEET_SHARE = 0.15


class Sighting(NamedTuple):
    """One record to publish. Times are simulated seconds since the start of the traffic.

    The read has no capture time yet: whoever publishes knows what moment the start is. A buffered pass was captured
    `late_by_s` *real* seconds before that, at any speed, for lateness is judged by the real clock. `shown` is the
    plate that was really there, and `quality` how badly it was seen, from 0 (best) on. The camera's clock is
    `clock_s` real seconds ahead. What is no plate at all is not `of_plate`.
    """

    published_s: float
    captured_s: float
    late_by_s: float
    clock_s: float
    read: Read
    shown: Plate
    quality: int
    of: Pass
    duplicate: bool
    of_plate: bool
    first_of_pass: bool
    last_of_pass: bool


class Listed(NamedTuple):
    """The listed vehicles: all of them, those for the first passes, and the share of passes that are theirs."""

    plates: Sequence[Plate] = ()
    first: Sequence[Plate] = ()
    share: float = 0.001


def traffic(  # noqa: PLR0913  each of them decides what goes by
    site: str,
    lanes: Sequence[Lane],
    seed: int,
    *,
    at_s: float,
    volume: float = 1.0,
    listed: Listed | None = None,
    stage: Stage | None = None,
) -> Iterator[Sighting]:
    """Yield what the site's cameras send, in order of publication and without end.

    Args:
        site: one of `timetable.SERVICES`.
        lanes: the site's lanes and cameras.
        seed: with all else equal, the same seed gives the same reads.
        at_s: where in the timetable the traffic begins, in seconds since midnight.
        volume: how many times an average day's traffic comes; 2.4 is a peak day. At most 10.
        listed: the vehicles that are on a list.
        stage: what a scenario changes.
    """
    rng = Random(f"{seed} {site}")
    recogniser = ocr.load()
    fleets = Fleets(rng)
    free_s = dict.fromkeys(lanes, 0.0)
    held: list[tuple[float, int, Sighting]] = []
    order = count()
    stage = stage or Stage()
    for number, (came_s, arrival) in enumerate(_comings(arrivals(site, at_s, volume, rng), at_s, stage), 1):
        # Nothing that is still to be made is published before the vehicle that makes it comes.
        while held and held[0][0] <= came_s:
            yield heapq.heappop(held)[2]
        coming = arrival if isinstance(arrival, Coming) else None
        vehicle = _staged(coming, rng) if coming else _vehicle(arrival.kind, number, listed or Listed(), fleets, rng)
        lane = min(free_s, key=free_s.__getitem__)
        passed_s = max(came_s, free_s[lane])
        free_s[lane] = passed_s + _HEADWAY_S
        going_by = passes.make(f"{site}-{seed}-{number}", site, vehicle, lane, rng)
        if coming:
            going_by = going_by._replace(going=coming.going, late_by_s=coming.late_by_s, staged=True)
        records = passes.records(going_by, passed_s, recogniser, rng)
        if stage.badge_share and rng.random() < stage.badge_share:
            records.append(passes.badge(going_by, passed_s, rng.choice(stage.badges), rng))
        for disturb in stage.disturbances:
            records = disturb(records)
        for sighting in _sightings(going_by, records):
            heapq.heappush(held, (sighting.published_s, next(order), sighting))


def _comings(arriving: Iterator[Arrival], at_s: float, stage: Stage) -> Iterator[tuple[float, Arrival | Coming]]:
    """Yield who comes, in order of time, each with the moment in seconds since the start of the traffic."""
    ordinary = ((arrival.at_s - at_s, arrival) for arrival in arriving)
    staged = ((coming.at_s, coming) for coming in stage.comings)
    return heapq.merge(ordinary, staged, key=lambda who: who[0])


def _staged(coming: Coming, rng: Random) -> Vehicle:
    return vehicles.make(coming.kind, rng, coming.plate)._replace(listed=True)


def _vehicle(kind: str, number: int, listed: Listed, fleets: Fleets, rng: Random) -> Vehicle:
    """Return the vehicle of the site's pass of that number."""
    if listed.first and number in _FIRST_LISTED_PASSES:
        return vehicles.make_listed(kind, listed.first, rng)
    if listed.plates and rng.random() < listed.share:
        return vehicles.make_listed(kind, listed.plates, rng)
    if kind == "lorry" and rng.random() < _FLEET_SHARE:
        return vehicles.make(kind, rng, fleets.draw(rng))
    return vehicles.make(kind, rng)


def _sightings(going_by: Pass, records: list[Record]) -> Iterator[Sighting]:
    """Mark the first and the last record of a pass, so that what is kept of it can be let go."""
    records.sort(key=lambda record: record.published_s)
    for i, record in enumerate(records):
        yield Sighting(
            record.published_s,
            record.captured_s,
            record.late_by_s,
            record.clock_s,
            record.read,
            record.shown,
            record.quality,
            going_by,
            record.duplicate,
            record.of_plate,
            first_of_pass=i == 0,
            last_of_pass=i == len(records) - 1,
        )
