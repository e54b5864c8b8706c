"""Vehicles: their kind, nationality and plates, drawn at random or from the list.

The nationality of lorries is an estimate from DfT "Road goods vehicles travelling to Europe" and the loaded journeys
of 2017 (CBS/Eurostat); that of cars is an estimate. Values below 1 are guesses at what the sources call "other".
"""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from simulators import plate_syntax
from simulators.weighted import Weighted

LORRY_COUNTRIES = Weighted(
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
        "CZ": 2,
        "SK": 2,
        "BE": 1,
        "IT": 1,
        "PT": 1,
        "SI": 0.4,
        "LV": 0.4,
        "UA": 0.3,
        "TR": 0.3,
        "HR": 0.2,
        "EE": 0.2,
        "AT": 0.2,
        "RS": 0.2,
        "MK": 0.1,
        "BA": 0.1,
        "MD": 0.1,
        "GR": 0.1,
        "DK": 0.1,
        "SE": 0.1,
        "LU": 0.1,
        "CH": 0.1,
    }
)
_CARS = Weighted(
    {
        "GB": 75,
        "FR": 8,
        "DE": 4,
        "NL": 4,
        "BE": 3,
        "PL": 2,
        "RO": 0.8,
        "IE": 0.6,
        "ES": 0.6,
        "IT": 0.4,
        "CH": 0.3,
        "LU": 0.2,
        "CZ": 0.2,
        "SK": 0.2,
        "AT": 0.2,
        "SE": 0.2,
        "DK": 0.2,
        "PT": 0.2,
        "LT": 0.2,
        "HU": 0.1,
        "BG": 0.1,
        "NO": 0.1,
        "FI": 0.05,
        "GR": 0.05,
        "LV": 0.05,
        "EE": 0.05,
        "UA": 0.1,
    }
)
# British and Irish trailers repeat the plate of the tractor. All other trailers have their own.
_TRAILER_REPEATS_PLATE = frozenset({"GB", "IE"})
# The shares of lorries with a trailer, and of listed lorries whose trailer is the listed one: estimates.
_ARTICULATED_SHARE = 0.9
_LISTED_TRAILER_SHARE = 0.25
# The share of trailers from another country than the lorry: hired, or another haulier's.
_FOREIGN_TRAILER_SHARE = 0.1


class Plate(NamedTuple):
    """A canonical plate, and the country that issued it if that is known."""

    text: str
    country: str | None


class Vehicle(NamedTuple):
    """A vehicle. The front and rear plates lawfully differ when a trailer has a plate of its own.

    `listed` tells whether one of them was drawn from the list.
    """

    kind: str
    front: Plate
    rear: Plate
    listed: bool = False


def make_vehicle(kind: str, rng: Random, front: Plate | None = None) -> Vehicle:
    """Return a vehicle of the kind, with this plate in front or a random one."""
    if front is None:
        country = _country(kind, rng)
        front = Plate(plate_syntax.make_plate(country, rng), country)
    if _has_own_trailer(kind, front.country or "", rng):
        return Vehicle(kind, front, _trailer(front.country or "", rng))
    return Vehicle(kind, front, front)


def make_listed_vehicle(kind: str, listed: Sequence[Plate], rng: Random) -> Vehicle:
    """Return a vehicle of the kind with a listed plate, drawn evenly. On a lorry it may be the trailer's."""
    plate = listed[int(rng.random() * len(listed))]
    country = plate.country if plate.country in plate_syntax.COUNTRIES else None
    if not _has_own_trailer(kind, country or "", rng):
        return Vehicle(kind, plate, plate, listed=True)
    other = country or _country(kind, rng)
    if rng.random() < _LISTED_TRAILER_SHARE:
        return Vehicle(kind, Plate(plate_syntax.make_plate(other, rng), other), plate, listed=True)
    return Vehicle(kind, plate, _trailer(other, rng), listed=True)


def _trailer(country: str, rng: Random) -> Plate:
    if rng.random() < _FOREIGN_TRAILER_SHARE:
        country = LORRY_COUNTRIES.draw(rng)
    return Plate(plate_syntax.make_plate(country, rng, trailer=True), country)


def _country(kind: str, rng: Random) -> str:
    return (LORRY_COUNTRIES if kind == "lorry" else _CARS).draw(rng)


def _has_own_trailer(kind: str, country: str, rng: Random) -> bool:
    return kind == "lorry" and country not in _TRAILER_REPEATS_PLATE and rng.random() < _ARTICULATED_SHARE
