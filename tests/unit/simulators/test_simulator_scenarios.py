"""Each scenario does what its name says, and its truth names what must be noticed."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from simulators.cli import main
from simulators.scenarios import scenarios

ROOT = Path(__file__).parents[3]
START = datetime.fromisoformat("2026-06-01T08:00:00Z")
SECONDS = 4


class Run(NamedTuple):
    """The output of a run: reads in order of publication, and the truth's passes and notices."""

    reads: list[dict[str, Any]]
    passes: list[dict[str, Any]]
    notices: list[dict[str, Any]]

    def of(self, read_id: str) -> dict[str, Any]:
        return next(read for read in self.reads if read["read_id"] == read_id)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Run]:
    @cache
    def run(name: str) -> Run:
        folder = tmp_path_factory.mktemp(name)
        arguments = ["--config", str(ROOT / "config"), "--start", START.isoformat(), "--for", f"{SECONDS}s"]
        arguments += ["--speed", "300", "--scenario", name, "--out", str(folder / "r"), "--truth", str(folder / "t")]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
        reads, truth = (
            [json.loads(line) for line in (folder / file).read_text("utf-8").splitlines()] for file in ("r", "t")
        )
        passes = [line for line in truth if "pass_id" in line]
        notices = [line["notice"] | {"site": line["site"]} for line in truth if "notice" in line]
        return Run(reads, passes, notices)

    return run


def captured(read: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(read["captured_at"])


def text(read: dict[str, Any]) -> str:
    return str(read["plate"]).upper().replace(" ", "").replace("-", "")


@pytest.mark.parametrize("name", scenarios())
def test_a_scenario_is_the_same_to_the_byte_each_time(name: str, simulated: Callable[[str], Run]) -> None:
    arguments = ["--config", str(ROOT / "config"), "--start", START.isoformat(), "--for", f"{SECONDS}s"]
    again = CliRunner().invoke(main, [*arguments, "--speed", "300", "--scenario", name])
    assert [json.loads(line) for line in again.stdout.splitlines()] == simulated(name).reads


def test_a_peak_day_brings_far_more_vehicles_than_a_normal_one(simulated: Callable[[str], Run]) -> None:
    normal, peak = (len({read["pass_id"] for read in simulated(name).reads}) for name in ("normal-day", "peak-day"))
    assert 2 * normal < peak < 3 * normal


def test_a_camera_falls_silent_and_the_other_of_its_lane_continues(simulated: Callable[[str], Run]) -> None:
    outage, normal = simulated("camera-outage"), simulated("normal-day")
    [notice] = outage.notices
    assert (notice["what"], notice["site"]) == ("silent camera", "calais")
    since, until = (datetime.fromisoformat(notice[key]) for key in ("from", "until"))

    def within(run: Run, camera: str) -> list[str]:
        return [r["read_id"] for r in run.reads if r["camera"] == camera and since <= captured(r) < until]

    assert within(outage, notice["camera"]) == []
    assert within(normal, notice["camera"]) != []
    rear = notice["camera"].replace("front", "rear")
    assert within(outage, rear) == within(normal, rear) != []
    missing = {r["read_id"] for r in normal.reads} - {r["read_id"] for r in outage.reads}
    assert missing == set(within(normal, notice["camera"]))


def test_wrong_clocks_are_as_wrong_as_the_truth_says_and_all_others_right(simulated: Callable[[str], Run]) -> None:
    run = simulated("camera-clock-wrong")
    offsets = {notice["camera"]: notice["offset_seconds"] for notice in run.notices}
    assert sorted(offsets.values()) == [-90, 90]
    end = START + timedelta(seconds=SECONDS)
    slow = False
    for read in run.reads:
        true = captured(read) - timedelta(seconds=offsets.get(read["camera"], 0))
        slow = slow or read["camera"] in offsets
        assert START - timedelta(seconds=1200) <= true <= end
        if read["camera"] in offsets:
            assert not START <= captured(read) <= end
    assert slow


def test_a_site_that_was_cut_off_delivers_its_reads_in_order_afterwards(simulated: Callable[[str], Run]) -> None:
    cut, uncut = simulated("network-cut"), simulated("camera-clock-wrong")
    [notice] = cut.notices
    assert (notice["what"], notice["site"]) == ("cut off", "dunkerque")
    until = datetime.fromisoformat(notice["until"])
    at_dunkerque = [read for read in cut.reads if read["site"] == "dunkerque"]
    kept = [read for read in at_dunkerque if timedelta(seconds=170) < START - captured(read) < timedelta(seconds=185)]
    assert len(kept) > 5
    places = [cut.reads.index(read) for read in kept]
    others_before = [captured(read) for read in cut.reads[: places[0]] if read["site"] == "calais"]
    assert max(others_before) > until - timedelta(milliseconds=200), "no read of the cut comes before its end"
    assert {r["read_id"] for r in cut.reads} == {r["read_id"] for r in uncut.reads}, "and no read is lost"


def test_a_cloned_plate_is_at_two_ports_at_once(simulated: Callable[[str], Run]) -> None:
    run = simulated("cloned-plate")
    [notice] = run.notices
    assert notice["what"] == "same plate faster than possible"
    assert [line["site"] for line in run.passes] == notice["sites"]
    assert {line["plate"] for line in run.passes} == {notice["plate"]}
    first, second = (captured(run.of(line["expected"][0]["read_id"])) for line in run.passes)
    assert timedelta() < second - first < timedelta(minutes=1)


def test_a_vehicle_that_is_turned_away_tries_another_port(simulated: Callable[[str], Run]) -> None:
    run = simulated("turned-away-tries-another-port")
    [notice] = run.notices
    assert (notice["what"], notice["sites"]) == ("switches port", ["calais", "dunkerque"])
    sightings = [run.of(line["expected"][0]["read_id"]) for line in run.passes]
    assert [(read["site"], read["direction"]) for read in sightings] == [
        ("calais", "uk_bound"),
        ("calais", "fr_bound"),
        ("dunkerque", "uk_bound"),
    ]
    came, turned, tried = map(captured, sightings)
    assert timedelta(minutes=8) < turned - came < timedelta(minutes=12)
    assert timedelta(minutes=58) < tried - turned < timedelta(minutes=62)


def test_badges_are_read_as_plates_and_raise_nothing(simulated: Callable[[str], Run]) -> None:
    run = simulated("badge-or-livery")
    assert {notice["what"] for notice in run.notices} == {"no plate"}
    read_ids = {read_id for line in run.passes for read_id in line["no_plate"]}
    assert len(read_ids) > 20
    assert {text(run.of(read_id)) for read_id in read_ids} <= set(scenarios()["badge-or-livery"].badges)
    assert all(line["expected"] == [] for line in run.passes)


@pytest.mark.parametrize("name", ["cloned-plate", "turned-away-tries-another-port"])
def test_staged_vehicles_are_read_right(name: str, simulated: Callable[[str], Run]) -> None:
    assert all(line["expected"] for line in simulated(name).passes)


def test_the_list_of_scenarios_describes_each() -> None:
    result = CliRunner().invoke(main, ["--scenario", "list"])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(scenarios())
    assert all(scenario.description in result.stdout for scenario in scenarios().values())


def test_the_page_about_the_simulators_has_each_scenario() -> None:
    page = (ROOT / "docs" / "simulators.md").read_text("utf-8")
    assert [name for name in scenarios() if f"`{name}`" not in page] == []


def test_an_unknown_scenario_is_refused_with_the_nearest() -> None:
    result = CliRunner().invoke(main, ["--scenario", "cloned-plates"])
    assert result.exit_code == 2
    assert "'cloned-plate'" in result.stderr


def test_given_options_override_the_scenario(simulated: Callable[[str], Run]) -> None:
    arguments = ["--config", str(ROOT / "config"), "--start", START.isoformat(), "--for", f"{SECONDS}s"]
    quiet = CliRunner().invoke(main, [*arguments, "--speed", "300", "--scenario", "peak-day", "--volume", "0.5"])
    assert len(quiet.stdout.splitlines()) < len(simulated("normal-day").reads)
