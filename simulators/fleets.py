"""Hauliers' fleets: lorries that were bought together, so that their plates follow one another.

They come often, and now and then one right behind the other. For a plate reader they are the hardest neighbours: one
character apart, and both right.
"""

from random import Random

from simulators import plate_syntax
from simulators.vehicles import LORRY_COUNTRIES, Plate
from simulators.weighted import Weighted

# All estimates.
_FLEETS = 12
_SIZES = (4, 40)
_CONVOY_SHARE = 0.3


class Fleets:
    """The fleets that use one port. Lorries are drawn from them in the order of the traffic."""

    def __init__(self, rng: Random, countries: Weighted[str] = LORRY_COUNTRIES) -> None:
        """Draw the fleets: for each, the plate of its first lorry and the number of lorries."""
        self._fleets: list[tuple[Plate, int]] = []
        for _ in range(_FLEETS):
            country = countries.draw(rng)
            self._fleets.append((Plate(plate_syntax.make_plate(country, rng), country), rng.randint(*_SIZES)))
        self._last = (0, 0)

    def draw(self, rng: Random) -> Plate:
        """Return the plate of the next lorry: any of any fleet, or the one bought after the lorry that came last."""
        fleet, number = self._last
        if rng.random() < _CONVOY_SHARE:
            number = (number + 1) % self._fleets[fleet][1]
        else:
            fleet = int(rng.random() * len(self._fleets))
            number = int(rng.random() * self._fleets[fleet][1])
        self._last = (fleet, number)
        first, _ = self._fleets[fleet]
        return Plate(plate_syntax.later_plate(first.country or "", first.text, number), first.country)
