"""Vehicles travel along the routes, at the rates of the scenario, and none is in two places."""

import json
from collections import Counter
from datetime import datetime, timedelta
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from anpr.contracts import topics
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Action, Candidate, Cover, Entry, Generation, Read, ReadIdentity, decode_action
from anpr.local.demo_journeys import demo_environment
from anpr.runtime.settings_files import load_settings
from simulators.cli import main
from simulators.expected_alerts import Watchlist
from simulators.ground_truth import GroundTruth
from simulators.lines_file import LinesFile
from simulators.officer import Officer
from simulators.run import written_time
from simulators.scenarios import scenarios
from tests.support.strategies import NOON, a_read, an_entry, minutes

CONFIG = Path(__file__).parents[3] / "config"
DEMO = demo_environment(load_settings(CONFIG, {}))
ROUTES = {(route.origin, route.destination): route for route in load_settings(CONFIG, DEMO).routes}
SPEED = 60


class Run(NamedTuple):
    """The reads of a run, and its truth by pass."""

    reads: list[dict[str, Any]]
    truth: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def crossings(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("crossings")
    arguments = ["--config", str(CONFIG), "--start", "2026-06-01T08:00:00Z", "--for", "60s", "--speed", str(SPEED)]
    arguments += ["--scenario", "crossings", "--out", str(folder / "r"), "--truth", str(folder / "t")]
    result = CliRunner(env=DEMO).invoke(main, arguments)
    assert result.exit_code == 0, result.output
    reads, truth = ([json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()] for name in "rt")
    return Run(reads, {line["pass_id"]: line for line in truth})


def first_captures(run: Run) -> dict[str, datetime]:
    captures: dict[str, datetime] = {}
    for read in run.reads:
        at = datetime.fromisoformat(read["captured_at"])
        captures[read["pass_id"]] = min(at, captures.get(read["pass_id"], at))
    return captures


def visits(run: Run) -> dict[str, tuple[str, str, str]]:
    """Return by pass the site, the pass before and the site of that, of every vehicle that came from another."""
    sites = {read["pass_id"]: read["site"] for read in run.reads}
    found = {}
    for pass_id, site in sites.items():
        at, _, before = pass_id.partition("-after-")
        if before:
            assert at == site
            found[pass_id] = (site, before, before.split("-")[0])
    return found


def test_vehicles_arrive_by_the_routes_after_the_crossing_and_at_most_the_usual_wait(crossings: Run) -> None:
    captures = first_captures(crossings)
    by_way = Counter[tuple[str, str]]()
    for pass_id, (site, before, origin) in visits(crossings).items():
        route = ROUTES[origin, site]
        by_way[origin, site] += 1
        took = captures[pass_id] - captures[before]
        assert took >= timedelta(minutes=route.crossing_minutes)
        # Of a pass some reads may be lost, and it begins before its vehicle leaves: by the clock, a moment.
        assert took <= timedelta(minutes=route.crossing_minutes + route.wait_minutes, seconds=0.2)
    assert {("calais", "dover"), ("dunkerque", "dover"), ("coquelles", "folkestone")} <= by_way.keys()
    assert {read["direction"] for read in crossings.reads if read["site"] in {"dover", "folkestone"}} == {"uk_bound"}


def test_fates_come_at_the_rates_that_the_scenario_states(crossings: Run) -> None:
    rates = scenarios()["crossings"].journeys
    assert rates is not None
    listed = {pass_id for pass_id, line in crossings.truth.items() if "-after-" not in pass_id and line["expected"]}
    went_on = {before: site for site, before, _ in visits(crossings).values()}
    crossed = {one for one in listed if went_on.get(one) in {"dover", "folkestone"}}
    tried_again = {one for one in listed if went_on.get(one) in {"calais", "coquelles", "dunkerque"}}
    assert len(listed) > 25
    # The last vehicles of the run are still on their way, and some turn round by themselves.
    assert 0.4 < len(crossed) / len(listed) < 1 - rates.no_show_share - rates.turned_away_share + 0.15
    assert 0.05 < len(tried_again) / len(listed) < rates.turned_away_share * rates.tries_again_share + 0.12
    marked = [line for line in crossings.truth.values() if "turned_away_from" in line]
    assert len(marked) >= len(tried_again) > 0


def test_a_listed_vehicle_is_in_one_place_at_a_time(crossings: Run) -> None:
    captures = first_captures(crossings)
    places: dict[str, list[tuple[datetime, str]]] = {}
    for pass_id, line in crossings.truth.items():
        for plate in {line["plate"], line.get("trailer_plate", line["plate"])} if line["expected"] else ():
            places.setdefault(plate, []).append((captures[pass_id], pass_id))
    for passes in places.values():
        at_french_ports = sorted(one for one in passes if "-after-" not in one[1])
        for (earlier, _), (later, _) in pairwise(at_french_ports):
            assert later - earlier >= timedelta(seconds=44)
        assert len({pass_id.split("-")[0] for _, pass_id in at_french_ports}) <= 1, "each port has its own"


def test_without_cameras_at_the_uk_ports_nobody_arrives_there() -> None:
    arguments = ["--config", str(CONFIG), "--start", "2026-06-01T08:00:00Z", "--for", "5s", "--speed", str(SPEED)]
    result = CliRunner().invoke(main, [*arguments, "--scenario", "crossings", "--out", "-"])
    assert {json.loads(line)["site"] for line in result.stdout.splitlines()} <= {"calais", "coquelles", "dunkerque"}


class Passing(NamedTuple):
    """What the officer looks at of a sighting."""

    read: Read
    vehicle_pass: Any
    is_last_of_pass: bool


class APass(NamedTuple):
    """What the officer looks at of a pass."""

    pass_id: str
    turned_away: bool


@pytest.mark.parametrize(
    ("handling", "topic"), [("open", topics.actions("calais")), ("covert", topics.covert_actions("calais"))]
)
def test_the_officer_acts_as_the_console_does_on_the_alert_of_a_vehicle_that_is_turned_away(
    handling: str, topic: str
) -> None:
    entry: Entry = an_entry("listed", handling=handling, revision=Generation(epoch=1, number=1))
    published: list[tuple[str, Action]] = []
    officer = Officer(Watchlist([entry]), lambda _, name, __, value: published.append((name, decode_action(value))))
    read = a_read(camera="lane-1")
    for pass_id, is_turned_away in {"turned": True, "goes-on": False}.items():
        passing: Any = Passing(read, APass(pass_id, is_turned_away), is_last_of_pass=True)
        officer.send(passing, NOON, b"")
    assert {name for name, _ in published} == {topic}
    assert [action.kind for _, action in published] == ["claimed", "plate_check", "outcome"]
    identity = ReadIdentity("calais", "lane-1", read.read_id, written_time(NOON))
    assert {action.alert_id for _, action in published} == {alert_id(identity, "listed")}
    assert published[-1][1].outcome == "turned_away"


def test_the_outcome_of_the_officer_settles_what_was_surely_read_though_a_guess_came_first() -> None:
    published: list[Action] = []
    entries = [an_entry(name, revision=Generation(epoch=1, number=1)) for name in ("one", "two")]
    officer = Officer(Watchlist(entries), lambda _, __, ___, value: published.append(decode_action(value)))
    guess = Candidate(plate="AB12CDE", confidence=0.4)
    reads = [
        a_read("guessed", plate="AB12CDF", candidates=(guess,)),
        a_read("sure"),
        a_read("worse", plate="AB12CDF", candidates=(guess,)),
    ]
    for read in reads:
        passing: Any = Passing(read, APass("turned", turned_away=True), is_last_of_pass=read is reads[-1])
        officer.send(passing, NOON, b"")
    sure = {
        alert_id(ReadIdentity("calais", reads[1].camera, "sure", written_time(NOON)), name) for name in ("one", "two")
    }
    assert {action.alert_id for action in published} < sure
    assert set(published[-1].covers) == {Cover(entry_id=name, tier="exact") for name in ("one", "two")}


def test_a_vehicle_that_was_turned_away_and_comes_again_later_is_known_at_the_other_ports() -> None:
    """It went home, passed the same port again, and crossed: the port where it arrives has it on the list."""
    entry = an_entry("listed", revision=Generation(epoch=1, number=1))
    plate = SimpleNamespace(text="AB12CDE", country="GB")
    lines = BytesIO()
    truth = GroundTruth(Watchlist([entry]), LinesFile(lines))
    for minute, site, is_turned_away in ((0, "coquelles", True), (5, "coquelles", False), (6, "folkestone", False)):
        sighting: Any = SimpleNamespace(
            vehicle_pass=SimpleNamespace(
                pass_id=str(minute),
                site=site,
                vehicle=SimpleNamespace(front=plate, rear=plate),
                turned_away=is_turned_away,
                came_from="",
            ),
            read=a_read(site=site, captured_at=minutes(minute)),
            published_s=minute * 60.0,
            true_plate=plate,
            is_duplicate=False,
            is_plate=True,
            is_last_of_pass=True,
        )
        truth.send(sighting, minutes(minute), b"")
    written = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [line.get("turned_away_from") for line in written] == [None, None, "coquelles"]
