"""Scenarios by name: `data/scenarios.toml` explains them.

Each scenario is a table, not code. As in any run, the alerts that must be raised follow from the reads. Other things
that must be noticed (a silent camera, a wrong clock) are written into the truth too.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from anpr.runtime.errors import InputError
from anpr.runtime.nearest import nearest
from anpr.runtime.settings import Camera, Site
from simulators import site_scenario
from simulators.journeys import Fate, JourneyRates
from simulators.run import SimulatedTime
from simulators.site_scenario import SiteScenario, StagedArrival
from simulators.vehicles import Plate


class _CameraChoice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which camera a fault concerns. At a site without that lane it is the most similar camera."""

    site: str
    lane: str
    position: str


class SilentCamera(_CameraChoice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A camera that sends nothing between two moments."""

    begin: float
    end: float


class WrongClock(_CameraChoice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A camera whose clock is ahead, or behind if negative."""

    offset_seconds: float


class Outage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site that is cut off between two moments and delivers its reads afterwards."""

    site: str
    begin: float
    end: float
    held_back_seconds: float


class StagedVehicle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A visit of the list's `listed`-th vehicle to a site."""

    site: str
    listed: int
    at: float
    kind: str = "car"
    going: str = "onward"
    minutes_ago: float = 0
    fate: Fate = "crosses"


class NoticeSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be noticed about the list's `listed`-th vehicle, at the last of the sites."""

    what: str
    listed: int
    sites: tuple[str, ...]
    at: float


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens, and what must be noticed. The fields are explained in `data/scenarios.toml`."""

    description: str
    seconds: float = 60
    volume: float = 1.0
    listed_share: float = 0.0
    only_staged: bool = False
    silent_cameras: tuple[SilentCamera, ...] = ()
    wrong_clocks: tuple[WrongClock, ...] = ()
    outages: tuple[Outage, ...] = ()
    staged_vehicles: tuple[StagedVehicle, ...] = ()
    badge_share: float = 0.0
    badges: tuple[str, ...] = ()
    notices: tuple[NoticeSpec, ...] = ()
    journeys: JourneyRates | None = None


class Notice(NamedTuple):
    """Something that must be noticed at a site from a simulated second on."""

    at_s: float
    site: str
    facts: Mapping[str, Any]


@cache
def scenarios() -> dict[str, Scenario]:
    """Return all scenarios by name."""
    text = (resources.files("simulators") / "data" / "scenarios.toml").read_text("utf-8")
    return msgspec.toml.decode(text, type=dict[str, Scenario])


def scenario_named(name: str) -> Scenario:
    """Return the scenario of that name. Raises InputError with the nearest name that there is."""
    if name not in scenarios():
        raise InputError(
            "scenario-unknown",
            f"no scenario {name!r}; the nearest is {nearest(name, scenarios())!r}",
            "print all scenarios with: python -m simulators --scenario list",
        )
    return scenarios()[name]


def site_scenario_of(
    scenario: Scenario, name: str, site: Site, run_s: float, plates: Sequence[Plate]
) -> SiteScenario:
    """Return what the scenario changes at one site.

    Args:
        scenario: one of `scenarios()`.
        name: the site's name.
        site: its settings.
        run_s: how long the run is, in simulated seconds.
        plates: the list's plates. If the scenario names a vehicle beyond its end, the last one comes.
    """
    disturbances = [
        *(
            site_scenario.silence_camera(_camera(camera, site), camera.begin * run_s, camera.end * run_s)
            for camera in _of(name, scenario.silent_cameras)
        ),
        *(
            site_scenario.shift_clock(_camera(clock, site), clock.offset_seconds)
            for clock in _of(name, scenario.wrong_clocks)
        ),
        *(
            site_scenario.hold_back(outage.begin * run_s, outage.end * run_s, outage.held_back_seconds)
            for outage in _of(name, scenario.outages)
        ),
    ]
    arrivals = [
        StagedArrival(
            vehicle.at * run_s,
            vehicle.kind,
            _nth(plates, vehicle.listed),
            vehicle.going,
            vehicle.minutes_ago * 60,
            vehicle.fate,
        )
        for vehicle in _of(name, scenario.staged_vehicles)
        if plates
    ]
    arrivals.sort(key=lambda arrival: arrival.at_s)
    return SiteScenario(disturbances, arrivals, scenario.badge_share, scenario.badges)


def notices(
    scenario: Scenario, sites: Mapping[str, Site], run_s: float, times: SimulatedTime, plates: Sequence[Plate]
) -> Iterator[Notice]:
    """Yield everything that must be noticed at these sites, with the real moments at which it happens."""

    def moment(share: float) -> datetime:
        return times.moment(share * run_s)

    for name, site in sites.items():
        for silent in _of(name, scenario.silent_cameras):
            since, until = moment(silent.begin), moment(silent.end)
            facts = {"what": "silent camera", "camera": _camera(silent, site), "from": since, "until": until}
            yield Notice(silent.begin * run_s, name, facts)
        for clock in _of(name, scenario.wrong_clocks):
            facts = {"what": "wrong clock", "camera": _camera(clock, site), "offset_seconds": clock.offset_seconds}
            yield Notice(0, name, facts)
        for outage in _of(name, scenario.outages):
            facts = {"what": "cut off", "from": moment(outage.begin), "until": moment(outage.end)}
            yield Notice(outage.begin * run_s, name, facts)
        if scenario.badge_share:
            yield Notice(0, name, {"what": "no plate"})
        for notice in scenario.notices:
            if notice.sites[-1] == name and plates:
                facts = {"what": notice.what, "plate": _nth(plates, notice.listed).text, "sites": notice.sites}
                yield Notice(notice.at * run_s, name, facts)


def _of(site: str, parts: Sequence[Any]) -> Iterator[Any]:
    return (part for part in parts if part.site == site)


def _nth(plates: Sequence[Plate], number: int) -> Plate:
    return plates[min(number, len(plates)) - 1]


def _camera(choice: _CameraChoice, site: Site) -> str:
    """Return the name of the chosen camera."""

    def similarity(camera: Camera) -> tuple[bool, bool]:
        return camera.position == choice.position, camera.lane == choice.lane

    return max(site.cameras, key=similarity).name
