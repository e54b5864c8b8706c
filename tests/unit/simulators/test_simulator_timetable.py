"""As many vehicles come to the ports as in reality, and at the same times."""

from itertools import pairwise, takewhile
from random import Random
from statistics import mean, pstdev

import pytest

from simulators.timetable import DAY_S, SERVICES, Arrival, arrivals, departures

# UK-bound vehicles on an average day, and the freight among them: see the module for the sources.
VEHICLES_PER_DAY = {"calais": 4250, "coquelles": 4700, "dunkerque": 1000}
DEPARTURES_PER_DAY = {"calais": 40, "coquelles": 104, "dunkerque": 12}


def days(site: str, number: int, volume: float = 1.0) -> list[Arrival]:
    until_s = number * DAY_S
    return list(takewhile(lambda arrival: arrival.at_s < until_s, arrivals(site, 0, volume, Random(5))))


@pytest.mark.parametrize("site", SERVICES)
def test_a_day_brings_the_published_number_of_vehicles(site: str) -> None:
    per_day = len(days(site, 5)) / 5
    assert per_day == pytest.approx(VEHICLES_PER_DAY[site], rel=0.05)


def test_nearly_half_of_all_vehicles_are_freight() -> None:
    kinds = [arrival.kind for site in SERVICES for arrival in days(site, 2)]
    assert kinds.count("lorry") / len(kinds) == pytest.approx(0.47, abs=0.02)
    assert 0 < kinds.count("coach") < kinds.count("car") / 20


def test_a_peak_day_brings_its_multiple() -> None:
    assert len(days("coquelles", 2, volume=2.4)) / len(days("coquelles", 2)) == pytest.approx(2.4, rel=0.05)


@pytest.mark.parametrize("site", SERVICES)
def test_departures_follow_the_timetable_day_after_day(site: str) -> None:
    of_three_days = list(takewhile(lambda departure: departure.at_s < 3 * DAY_S, departures(site, 0)))
    assert len(of_three_days) == 3 * DEPARTURES_PER_DAY[site]
    assert all(one.at_s < other.at_s for one, other in pairwise(of_three_days))
    assert next(departures(site, 8 * 3600)).at_s >= 8 * 3600


def test_a_shuttle_leaves_every_12_minutes_by_day_and_every_20_by_night() -> None:
    at_s = [departure.at_s for departure in takewhile(lambda d: d.at_s < DAY_S, departures("coquelles", 0))]
    gaps = {(b - a) // 60 for a, b in pairwise(at_s)}
    assert gaps == {12, 20}


def test_vehicles_come_in_order_of_time_from_the_chosen_moment_on() -> None:
    begin_s = 8 * 3600.0
    first = list(
        takewhile(lambda arrival: arrival.at_s < begin_s + 7200, arrivals("calais", begin_s, 1.0, Random(1)))
    )
    assert all(one.at_s <= other.at_s for one, other in pairwise(first))
    assert begin_s <= first[0].at_s < begin_s + 120


def test_vehicles_come_in_platoons_before_a_sailing() -> None:
    """Arrivals are far more uneven than independent ones, whose variance and mean of a count are equal."""
    counts = [0] * (5 * 144)
    for arrival in days("dunkerque", 5):
        counts[int(arrival.at_s // 600)] += 1
    assert pstdev(counts) ** 2 > 2 * mean(counts)
