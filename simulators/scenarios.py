"""Scenarios by name: `data/scenarios.toml` explains them.

Each is a table of what happens; none is code. What must be raised follows from the reads, as in any run; what must be
noticed besides (a silent camera, a wrong clock) is written into the truth too.
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
from simulators import stage
from simulators.run import SimulatedTime
from simulators.stage import Coming, Stage
from simulators.vehicles import Plate


class _Lens(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something about one camera. A site without such a lane has it at another."""

    site: str
    lane: str
    position: str


class Silence(_Lens, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A camera that sends nothing for a time."""

    begin: float
    end: float


class WrongClock(_Lens, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A camera whose clock is so much ahead, or behind when negative."""

    offset_seconds: float


class Cut(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site that is cut off for a time and delivers afterwards."""

    site: str
    begin: float
    end: float
    held_back_seconds: float


class Visit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `listed`-th vehicle of the list coming to a site."""

    site: str
    listed: int
    at: float
    kind: str = "car"
    going: str = "onward"
    minutes_ago: float = 0


class Demand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be noticed of the `listed`-th vehicle at the last of the sites."""

    what: str
    listed: int
    sites: tuple[str, ...]
    at: float


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens, and what must be noticed."""

    says: str
    seconds: float = 60
    volume: float = 1.0
    listed_share: float = 0.0
    only_staged: bool = False
    silent: tuple[Silence, ...] = ()
    clocks: tuple[WrongClock, ...] = ()
    cuts: tuple[Cut, ...] = ()
    comings: tuple[Visit, ...] = ()
    badge_share: float = 0.0
    badges: tuple[str, ...] = ()
    notices: tuple[Demand, ...] = ()


class Notice(NamedTuple):
    """What must be noticed at a site, from a simulated second on."""

    at_s: float
    site: str
    facts: Mapping[str, Any]


@cache
def scenarios() -> dict[str, Scenario]:
    """Return all scenarios by name."""
    text = (resources.files("simulators") / "data" / "scenarios.toml").read_text("utf-8")
    return msgspec.toml.decode(text, type=dict[str, Scenario])


def named(name: str) -> Scenario:
    """Return the scenario of that name. Raises InputError with the nearest name that there is."""
    if name not in scenarios():
        raise InputError(
            "scenario-unknown",
            f"no scenario {name!r}; the nearest is {nearest(name, scenarios())!r}",
            "python -m simulators --scenario list prints all",
        )
    return scenarios()[name]


def staged(scenario: Scenario, name: str, site: Site, run_s: float, plates: Sequence[Plate]) -> Stage:
    """Return what the scenario does at one site.

    Args:
        scenario: one of `scenarios()`.
        name: the site's name.
        site: its settings.
        run_s: how long the run is, in simulated seconds.
        plates: the list's plates; of a shorter list than the scenario asks for, its last one comes.
    """
    disturbances = [
        *(stage.silent(_camera(one, site), one.begin * run_s, one.end * run_s) for one in _of(name, scenario.silent)),
        *(stage.wrong_clock(_camera(one, site), one.offset_seconds) for one in _of(name, scenario.clocks)),
        *(stage.cut(one.begin * run_s, one.end * run_s, one.held_back_seconds) for one in _of(name, scenario.cuts)),
    ]
    comings = [
        Coming(one.at * run_s, one.kind, _nth(plates, one.listed), one.going, one.minutes_ago * 60)
        for one in _of(name, scenario.comings)
        if plates
    ]
    comings.sort(key=lambda coming: coming.at_s)
    return Stage(disturbances, comings, scenario.badge_share, scenario.badges)


def notices(
    scenario: Scenario, sites: Mapping[str, Site], run_s: float, times: SimulatedTime, plates: Sequence[Plate]
) -> Iterator[Notice]:
    """Yield what must be noticed at these sites, with the real moments at which it happens."""

    def moment(share: float) -> datetime:
        return times.moment(share * run_s)

    for name, site in sites.items():
        for silence in _of(name, scenario.silent):
            since, until = moment(silence.begin), moment(silence.end)
            facts = {"what": "silent camera", "camera": _camera(silence, site), "from": since, "until": until}
            yield Notice(silence.begin * run_s, name, facts)
        for clock in _of(name, scenario.clocks):
            facts = {"what": "wrong clock", "camera": _camera(clock, site), "offset_seconds": clock.offset_seconds}
            yield Notice(0, name, facts)
        for cut in _of(name, scenario.cuts):
            facts = {"what": "cut off", "from": moment(cut.begin), "until": moment(cut.end)}
            yield Notice(cut.begin * run_s, name, facts)
        if scenario.badge_share:
            yield Notice(0, name, {"what": "no plate"})
        for demand in scenario.notices:
            if demand.sites[-1] == name and plates:
                facts = {"what": demand.what, "plate": _nth(plates, demand.listed).text, "sites": demand.sites}
                yield Notice(demand.at * run_s, name, facts)


def _of(site: str, many: Sequence[Any]) -> Iterator[Any]:
    return (one for one in many if one.site == site)


def _nth(plates: Sequence[Plate], number: int) -> Plate:
    return plates[min(number, len(plates)) - 1]


def _camera(lens: _Lens, site: Site) -> str:
    """Return the name of the camera that is meant."""

    def fitness(camera: Camera) -> tuple[bool, bool]:
        return camera.position == lens.position, camera.lane == lens.lane

    return max(site.cameras, key=fitness).name
