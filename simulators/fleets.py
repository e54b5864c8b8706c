"""Fleets of hauliers: lorries bought together, whose plates follow one another.

They come often, and now and then one behind the other. To a reader of plates they are the nearest neighbours there
are: one character apart and each of them right.
"""

from random import Random

from simulators import plates
from simulators.draw import Weighted
from simulators.vehicles import LORRY_COUNTRIES, Plate

# All estimates.
_FLEETS = 12
_SIZES = (4, 40)
_CONVOY_SHARE = 0.3


class Fleets:
    """The fleets that use one port. Lorries are drawn from them in the order of the traffic."""

    def __init__(self, rng: Random, countries: Weighted[str] = LORRY_COUNTRIES) -> None:
        """Make up the fleets: each the plate of its first lorry and how many it has."""
        self._fleets: list[tuple[Plate, int]] = []
        for _ in range(_FLEETS):
            country = countries.draw(rng)
            self._fleets.append((Plate(plates.make(country, rng), country), rng.randint(*_SIZES)))
        self._last = (0, 0)

    def draw(self, rng: Random) -> Plate:
        """Return the plate of the next lorry: of any fleet, or the one bought after the last that came."""
        fleet, number = self._last
        if rng.random() < _CONVOY_SHARE:
            number = (number + 1) % self._fleets[fleet][1]
        else:
            fleet = int(rng.random() * len(self._fleets))
            number = int(rng.random() * self._fleets[fleet][1])
        self._last = (fleet, number)
        first, _ = self._fleets[fleet]
        return Plate(plates.later(first.country or "", first.text, number), first.country)
