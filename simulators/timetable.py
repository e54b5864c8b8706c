"""The timetable of the three ports, and the vehicles that come for each departure.

The figures are for traffic to the UK on an average day of 2023, half of both directions (Calais 1.81 M freight units
and 1.3 M tourist vehicles a year, AFP 18 January 2024; Eurotunnel 1.2 M lorries and 2.25 M passenger vehicles,
Getlink; Dunkerque 0.4 M and 0.3 M, by subtraction from Dover's 2023 results). A shuttle leaves every 12 minutes by
day (Getlink), a ferry from Calais every 36 (Croner-i 2021), from Dunkerque every 120 (DFDS). How early vehicles come,
and the shares of the hours of the day, are estimates.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import NamedTuple

DAY_S = 86_400
_HOUR_S = 3_600
# The passengers' share of non-freight vehicles that are coaches: 195 of 10,415 at Dover on 29 July 2023.
_COACH_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Service:
    """The departures of a site for the UK, and how many vehicles a day they draw through the UK control."""

    cars_per_day: int
    lorries_per_day: int
    # (hour, minutes): from that hour on, a departure every so many minutes. The first hour is midnight.
    headways_min: tuple[tuple[int, int], ...]
    # How many minutes before the departure vehicles come to the UK control: the first, most of them, the last.
    first_min: int
    usual_min: int
    last_min: int


SERVICES = {
    "calais": Service(1785, 2465, ((0, 36),), first_min=120, usual_min=70, last_min=45),
    "coquelles": Service(3055, 1645, ((0, 20), (6, 12), (22, 20)), first_min=50, usual_min=25, last_min=12),
    "dunkerque": Service(430, 570, ((0, 120),), first_min=130, usual_min=75, last_min=45),
}

# Relative demand by the hour of departure. Cars travel by day, with Dover's peak from 06:00 to 14:00. Freight runs
# through the night.
_CAR_HOURS = (2, 2, 2, 2, 4, 6, 9, 11, 12, 12, 12, 12, 11, 10, 9, 9, 9, 9, 8, 7, 6, 4, 3, 2)
_LORRY_HOURS = (8, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 10, 10, 10, 10, 10, 9, 9)


class Departure(NamedTuple):
    """A sailing or shuttle: its time, in seconds since the first midnight, and the vehicles expected for it."""

    at_s: int
    cars: float
    lorries: float


class Arrival(NamedTuple):
    """A vehicle coming to the UK control, in seconds since the first midnight."""

    at_s: float
    kind: str


def departures(site: str, from_s: float) -> Iterator[Departure]:
    """Yield the departures of the site from that second on, day after day without end."""
    service = SERVICES[site]
    times_s = _departure_times_s(service)
    cars = sum(_CAR_HOURS[at_s // _HOUR_S] for at_s in times_s)
    lorries = sum(_LORRY_HOURS[at_s // _HOUR_S] for at_s in times_s)
    for day in count(int(from_s // DAY_S)):
        for at_s in times_s:
            if day * DAY_S + at_s >= from_s:
                hour = at_s // _HOUR_S
                yield Departure(
                    day * DAY_S + at_s,
                    service.cars_per_day * _CAR_HOURS[hour] / cars,
                    service.lorries_per_day * _LORRY_HOURS[hour] / lorries,
                )


def arrivals(site: str, from_s: float, volume: float, rng: Random) -> Iterator[Arrival]:
    """Yield the vehicles that come to the site's UK control from that second on, in order of time, without end.

    Each departure draws a platoon; those of neighbouring departures overlap. `volume` multiplies an average day.
    """
    service = SERVICES[site]
    waiting: list[Arrival] = []
    for departure in departures(site, from_s + service.last_min * 60):
        opens_s = departure.at_s - service.first_min * 60
        while waiting and waiting[0].at_s < opens_s:
            yield heapq.heappop(waiting)
        for arrival in _platoon(departure, service, volume, rng):
            if arrival.at_s >= from_s:
                heapq.heappush(waiting, arrival)


def _platoon(departure: Departure, service: Service, volume: float, rng: Random) -> Iterator[Arrival]:
    for kind, expected in (("car", departure.cars), ("lorry", departure.lorries)):
        for _ in range(_poisson(expected * volume, rng)):
            early_s = rng.triangular(service.last_min, service.first_min, service.usual_min) * 60
            coach = kind == "car" and rng.random() < _COACH_SHARE
            yield Arrival(departure.at_s - early_s, "coach" if coach else kind)


def _departure_times_s(service: Service) -> list[int]:
    """Return the departures of one day, in seconds since midnight."""
    times_s, minute = [], 0
    while minute < DAY_S // 60:
        times_s.append(minute * 60)
        minute += next(step for hour, step in reversed(service.headways_min) if minute >= hour * 60)
    return times_s


def _poisson(mean: float, rng: Random) -> int:
    """Draw a Poisson number with this mean: the number of unit waits that fit into it."""
    number, waited = -1, 0.0
    while waited <= mean:
        number += 1
        waited += rng.expovariate(1.0)
    return number
