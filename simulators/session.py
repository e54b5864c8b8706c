"""One session: sets up what the command line asks for, runs it and closes it."""

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from random import Random

from anpr.runtime.clock import system_clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.images import ImageStore
from anpr.runtime.settings import Route, Site
from simulators.cameras import lanes
from simulators.expected_alerts import Watchlist
from simulators.ground_truth import GroundTruth
from simulators.journeys import Journeys, Ways
from simulators.kafka_sink import KafkaSink
from simulators.lines_file import LinesFile
from simulators.officer import Officer
from simulators.run import Pace, RunCounts, SimulatedTime, Sink, merged, run
from simulators.scenarios import Notice, Scenario, notices, site_scenario_of
from simulators.site_scenario import SiteScenario
from simulators.stop_request import StopRequest
from simulators.timetable import SERVICES
from simulators.traffic import Listed, Sighting, traffic

STDOUT = Path("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to simulate, how fast, and where the reads go. `run_for_s` is in real seconds.

    `sites` are those whose traffic comes; `all_sites` and `routes` say where vehicles travel from there.
    Without `run_for_s` a `scenario` takes its own time. `pictures` names the vehicles whose plates get pictures
    (`listed` or `all`); the pictures go to `images`.
    """

    sites: Mapping[str, Site]
    all_sites: Mapping[str, Site]
    routes: Sequence[Route]
    seed: int
    speed: float
    at_s: float
    volume: float
    watchlist: Watchlist
    listed_share: float
    run_for_s: float | None = None
    start: datetime | None = None
    truth: Path | None = None
    out: Path | None = None
    live: bool = False
    publish: bool = False
    scenario: Scenario | None = None
    pictures: str | None = None
    images: ImageStore | None = None


def run_session(plan: Plan, stop: StopRequest) -> tuple[RunCounts, int]:
    """Run until the end or a stop. Return what was published, and how many reads Kafka did not accept.

    However it ends, the files hold exactly what was published.
    """
    with ExitStack() as opened:
        sinks: list[Sink] = []
        if plan.out not in (None, STDOUT):
            sinks.append(LinesFile(opened.enter_context(plan.out.open("wb"))))
        elif plan.out == STDOUT or not plan.publish:
            sinks.append(LinesFile(sys.stdout.buffer))
        kafka = None
        if plan.publish:
            kafka = KafkaSink({name: plan.all_sites[name].kafka for name in _sites_seen(plan)}, stop)
            # Kafka comes last, so that every read that is sent has been written to the file before.
            sinks.append(kafka)
            if plan.scenario and plan.scenario.journeys:
                sinks.append(Officer(plan.watchlist, kafka.publish))
        sightings = _traffic(plan, plan.start or system_clock())
        # Everything is loaded before the clock starts, so that the first reads are in time.
        sightings = chain([next(sightings)], sightings)
        times = SimulatedTime(plan.start or system_clock(), plan.speed)
        truth = None
        if plan.truth is not None:
            lines = LinesFile(opened.enter_context(plan.truth.open("wb")))
            truth = GroundTruth(plan.watchlist, lines, _notices(plan, times))
            sinks.insert(0, truth)
        tally = RunCounts()
        try:
            run(
                sightings,
                times,
                sinks,
                stop,
                tally,
                until_s=math.inf if plan.run_for_s is None else plan.run_for_s * plan.speed,
                pace=Pace(plan.speed, stop, sinks) if plan.live or plan.publish else None,
                picture=_photographer(plan),
            )
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader of stdout has closed it. Python would complain once more when it closes stdout.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        finally:
            if truth:
                truth.close()
            if kafka:
                kafka.close()
    return tally, kafka.failed if kafka else 0


def _photographer(plan: Plan) -> Callable[[Sighting, datetime], Sighting] | None:
    if plan.pictures is None or plan.images is None:
        return None
    try:
        from simulators.photographer import Photographer  # noqa: PLC0415  only pictures need Pillow
    except ImportError as error:
        raise UnavailableError(
            "pillow-missing", f"pictures cannot be made: {error}", "install the extra: pip install 'anpr[local]'"
        ) from None
    return Photographer(plan.images, plan.pictures).picture


def _notices(plan: Plan, times: SimulatedTime) -> Iterable[Notice]:
    if plan.scenario is None:
        return ()
    return notices(plan.scenario, plan.sites, _scenario_s(plan), times, plan.watchlist.vehicles())


def _scenario_s(plan: Plan) -> float:
    """Return how long the scenario lasts, in simulated seconds."""
    seconds = plan.run_for_s or (plan.scenario.seconds if plan.scenario else 0)
    return seconds * plan.speed


def _traffic(plan: Plan, start: datetime) -> Iterator[Sighting]:
    return merged(
        traffic(
            name,
            lanes(site),
            plan.seed,
            at_s=plan.at_s,
            volume=plan.volume,
            listed=_listed(plan, name, start),
            scenario=_site_scenario(plan, name, site),
        )
        for name, site in plan.sites.items()
    )


def _listed(plan: Plan, site: str, start: datetime) -> Listed:
    if plan.scenario and plan.scenario.only_staged:
        return Listed()
    expected = plan.watchlist.vehicles_expected(site, start)
    vehicles = plan.watchlist.vehicles()
    if plan.scenario and plan.scenario.journeys:  # none is at two ports at once
        vehicles = vehicles[list(SERVICES).index(site) :: len(SERVICES)]
        expected = [plate for plate in expected if plate in vehicles]
    return Listed(vehicles, expected, plan.listed_share)


def _site_scenario(plan: Plan, name: str, site: Site) -> SiteScenario | None:
    if plan.scenario is None:
        return None
    plates = plan.watchlist.vehicles()
    return site_scenario_of(plan.scenario, name, site, _scenario_s(plan), plates)._replace(
        journeys=_journeys(plan, name)
    )


def _journeys(plan: Plan, site: str) -> Journeys | None:
    rates = plan.scenario.journeys if plan.scenario else None
    if rates is None:
        return None
    routes = _routes_from(plan, site)
    lanes_of = {route.destination: lanes(plan.all_sites[route.destination]) for route in routes}
    return Journeys(site, rates, Ways(routes, lanes_of), plan.speed, Random(f"{plan.seed} {site} journeys"))


def _routes_from(plan: Plan, site: str) -> list[Route]:
    """Return the routes of a site to others that have cameras."""
    return [route for route in plan.routes if route.origin == site and plan.all_sites[route.destination].cameras]


def _sites_seen(plan: Plan) -> list[str]:
    """Return the sites whose cameras make reads: those with traffic, and where their vehicles travel to."""
    travel = plan.scenario is not None and plan.scenario.journeys is not None
    ends = [route.destination for site in plan.sites if travel for route in _routes_from(plan, site)]
    return list(dict.fromkeys([*plan.sites, *ends]))
