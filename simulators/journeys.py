"""What becomes of a vehicle after it has passed a port: it crosses, stays away, or is turned away and tries again.

The rates are those of the scenario, the ways and times those of the routes in `sites.toml`. A vehicle of the list is
in one place at a time: while it travels, no port sees it.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from random import Random
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from anpr.runtime.settings import Route
from simulators.cameras import Lane
from simulators.pass_records import Pass
from simulators.vehicles import Plate, Vehicle

# The crossing begins after the last read of a vehicle: so many simulated seconds after its pass has begun.
_PASS_TAKES_S: Final = 6.0

Fate = Literal["crosses", "no_show", "turned_away"]


class JourneyRates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rates of a scenario: `data/scenarios.toml` explains them."""

    no_show_share: float
    turned_away_share: float
    tries_again_share: float
    others_share: float
    home_again_seconds: float


class Visit(NamedTuple):
    """A vehicle that comes to a lane of a site at a simulated second, after it was turned away at another or not."""

    at_s: float
    site: str
    lane: Lane
    vehicle: Vehicle
    from_pass: str
    turned_away_from: str


class Ways(NamedTuple):
    """Where vehicles of a port go: its routes to sites with cameras, and the lanes of all sites."""

    routes: Sequence[Route]
    lanes: Mapping[str, Sequence[Lane]]


class Journeys:
    """The journeys of the vehicles of one port."""

    def __init__(self, site: str, rates: JourneyRates, ways: Ways, speed: float, rng: Random) -> None:
        """`speed` is the number of simulated seconds in a real one: routes and rates give real times."""
        self._site = site
        self._rates = rates
        self._ways = ways
        self._speed = speed
        self._rng = rng
        self._visits: list[tuple[float, int, Visit]] = []
        self._order = count()
        self._home_again_s: dict[Plate, float] = {}

    def at_home(self, plates: Iterable[Plate], now_s: float) -> list[Plate]:
        """Return the plates of the vehicles that are not under way."""
        return [plate for plate in plates if self._home_again_s.get(plate, now_s) <= now_s]

    def begin(self, vehicle_pass: Pass, passed_s: float, fate: Fate | None = None) -> Pass:
        """Decide what becomes of a vehicle that has passed, unless that is given, and return its pass with it."""
        vehicle = vehicle_pass.vehicle
        if vehicle_pass.going != "onward" or vehicle_pass.late_by_s:
            return vehicle_pass
        if vehicle.listed:
            fate = fate or self._draw_fate()
            for plate in (vehicle.front, vehicle.rear):
                self._home_again_s[plate] = passed_s + self._rates.home_again_seconds * self._speed
        elif self._rng.random() < self._rates.others_share:
            fate = "crosses"
        if fate == "crosses":
            self._travel(vehicle_pass, passed_s, [route for route in self._ways.routes if route.by != "road"])
        elif fate == "turned_away" and self._rng.random() < self._rates.tries_again_share:
            self._travel(vehicle_pass, passed_s, [route for route in self._ways.routes if route.by == "road"])
        return vehicle_pass._replace(turned_away=fate == "turned_away")

    def due(self, now_s: float) -> Iterator[Visit]:
        """Yield the visits up to a simulated second, each once, in order of time."""
        while self._visits and self._visits[0][0] <= now_s:
            yield heapq.heappop(self._visits)[2]

    def _draw_fate(self) -> Fate:
        drawn = self._rng.random()
        if drawn < self._rates.turned_away_share:
            return "turned_away"
        return "no_show" if drawn < self._rates.turned_away_share + self._rates.no_show_share else "crosses"

    def _travel(self, vehicle_pass: Pass, passed_s: float, routes: Sequence[Route]) -> None:
        """Let the vehicle come to the end of one of these routes, after the crossing and a part of the usual wait."""
        if not routes:
            return
        route = self._rng.choice(routes)
        minutes = route.crossing_minutes + self._rng.random() * route.wait_minutes
        away_from = self._site if route.by == "road" else ""
        visit = Visit(
            passed_s + _PASS_TAKES_S + minutes * 60 * self._speed,
            route.destination,
            self._rng.choice(self._ways.lanes[route.destination]),
            vehicle_pass.vehicle,
            vehicle_pass.pass_id,
            away_from,
        )
        heapq.heappush(self._visits, (visit.at_s, next(self._order), visit))
