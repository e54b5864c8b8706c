"""Vehicles: their kind, nationality and plates, at random or from the list.

Nationality of lorries: an estimate from DfT "Road goods vehicles travelling to Europe" and the loaded journeys of
2017 (CBS/Eurostat); of cars: an estimate. Countries without a syntax in `countries.toml` (some 7 % of the lorries
and 1 % of the cars) are left out.
"""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from simulators import plates
from simulators.draw import Weighted

_LORRIES = Weighted(
    {
        "PL": 25,
        "RO": 14,
        "GB": 13,
        "LT": 8,
        "HU": 6,
        "ES": 6,
        "NL": 6,
        "DE": 5,
        "BG": 5,
        "IE": 2,
        "FR": 2,
        "BE": 1,
    }
)
_CARS = Weighted({"GB": 75, "FR": 8, "DE": 4, "NL": 4, "BE": 3, "PL": 2, "RO": 1, "IE": 1, "ES": 1})
# British and Irish trailers repeat the plate of the tractor. All others have their own.
_TRAILER_REPEATS_PLATE = frozenset({"GB", "IE"})
# Lorries with a trailer, and listed lorries of which the trailer is the one listed: estimates.
_ARTICULATED_SHARE = 0.9
_LISTED_TRAILER_SHARE = 0.25


class Plate(NamedTuple):
    """A canonical plate, and the country that issued it where that is known."""

    text: str
    country: str | None


class Vehicle(NamedTuple):
    """A vehicle as it goes by. Front and rear differ lawfully when a trailer has a plate of its own.

    `listed` tells that one of them was drawn from the list.
    """

    kind: str
    front: Plate
    rear: Plate
    listed: bool = False


def make(kind: str, rng: Random) -> Vehicle:
    """Return a vehicle of the kind with a plate made at random."""
    country = _country(kind, rng)
    front = Plate(plates.make(country, rng), country)
    if _has_own_trailer(kind, country, rng):
        return Vehicle(kind, front, Plate(plates.make(country, rng, trailer=True), country))
    return Vehicle(kind, front, front)


def make_listed(kind: str, listed: Sequence[Plate], rng: Random) -> Vehicle:
    """Return a vehicle of the kind with one of the listed plates, drawn evenly; a lorry's may be its trailer's."""
    plate = listed[int(rng.random() * len(listed))]
    country = plate.country if plate.country in plates.COUNTRIES else None
    if not _has_own_trailer(kind, country or "", rng):
        return Vehicle(kind, plate, plate, listed=True)
    other = country or _country(kind, rng)
    if rng.random() < _LISTED_TRAILER_SHARE:
        return Vehicle(kind, Plate(plates.make(other, rng), other), plate, listed=True)
    return Vehicle(kind, plate, Plate(plates.make(other, rng, trailer=True), other), listed=True)


def _country(kind: str, rng: Random) -> str:
    return (_LORRIES if kind == "lorry" else _CARS).draw(rng)


def _has_own_trailer(kind: str, country: str, rng: Random) -> bool:
    return kind == "lorry" and country not in _TRAILER_REPEATS_PLATE and rng.random() < _ARTICULATED_SHARE
