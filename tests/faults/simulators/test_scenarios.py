"""Plays each scenario to a real Kafka and real matchers, and compares the alerts with its truth."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from anpr.contracts import events
from anpr.local import run_check
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.watchlist.csv_file import read_list
from simulators.scenarios import scenarios
from tests.support.installation import Installation
from tests.support.oracle import dry_run

LIST = "example"
WATCHLIST = Path("config/example_watchlist.csv")


@pytest.fixture(scope="module")
def matched(ports: Installation) -> Installation:
    """Return the three ports with a matcher each. All scenarios are played to them, each with its own seed."""
    ports.store.apply(LIST, read_list(WATCHLIST, LIST).entries, "test", system_clock())
    for site in ports.sites:
        ports.start_matcher(site, f"{site}-1")
    return ports


def play(it: Installation, name: str) -> tuple[Path, Path]:
    """Play a scenario at 300 times real speed. Return the files of what was sent and of the truth."""
    sent, truth = it.folder / f"{name}.jsonl", it.folder / f"{name}.truth"
    command = [sys.executable, "-m", "simulators", "--config", str(it.config), "--publish", "--bootstrap", it.kafka]
    command += ["--scenario", name, "--for", "4s", "--speed", "300", "--seed", str(list(scenarios()).index(name))]
    command += ["--watchlist", str(WATCHLIST), "--list-name", LIST, "--out", str(sent), "--truth", str(truth)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return sent, truth


def alerts_on(it: Installation, sent: Path) -> dict[str, events.Alert]:
    """Wait until all reads that were sent are matched, and return their alerts from the topics."""
    assert wait_until(lambda: all(it.waiting(site) == 0 for site in it.sites), 180), "reads are unaccounted for"
    read_ids = {read.read_id for read in reads_of(sent)}
    return {alert.alert_id: alert for alert in it.alerts() if alert.read.read_id in read_ids}


def reads_of(sent: Path) -> list[events.Read]:
    return [msgspec.json.decode(line, type=events.Read) for line in sent.read_bytes().splitlines()]


@pytest.mark.parametrize("name", scenarios())
def test_a_scenario_raises_what_its_truth_and_the_dry_run_say(matched: Installation, name: str) -> None:
    sent, truth_file = play(matched, name)
    raised = alerts_on(matched, sent)
    assert raised.keys() == dry_run(matched, WATCHLIST, LIST, sent).keys()

    lines = [msgspec.json.decode(line) for line in truth_file.read_bytes().splitlines()]
    truth = run_check.truth_of([msgspec.convert(line, run_check.TruePass) for line in lines])
    sure = {alert_id: alert.tier for alert_id, alert in raised.items() if alert.tier in run_check.SURE_TIERS}
    assert sure == truth.expected
    others = raised.keys() - sure.keys()
    assert others <= truth.guesses, "no other vehicle is taken for a listed one"
    assert bool(truth.expected) == (name != "badge-or-livery")

    by_read = {(alert.read.site, alert.read.read_id): alert for alert in raised.values()}
    for notice in (line["notice"] | {"site": line["site"]} for line in lines if "notice" in line):
        check_notice(notice, lines, by_read, sent)


def check_notice(
    notice: dict[str, str], lines: list[dict[str, object]], raised: dict[tuple[str, str], events.Alert], sent: Path
) -> None:
    """Assert that the alerts have the evidence for what must be noticed."""
    at_site = [alert for (site, _), alert in raised.items() if site == notice["site"]]
    match notice["what"]:
        case "silent camera":
            silent = {read.camera for read in reads_of(sent) if read.site == notice["site"]} - {notice["camera"]}
            assert silent, "the other cameras continue"
        case "wrong clock":
            wrong = [alert for alert in at_site if alert.read.camera == notice["camera"]]
            assert wrong
            if float(notice["offset_seconds"]) > 0:
                assert all(alert.read.clock_suspect for alert in wrong)
            else:
                assert {alert.kind for alert in wrong} == {"late"}
        case "cut off":
            assert {"live", "late"} <= {alert.kind for alert in at_site}
        case "no plate":
            no_plate = {read_id for line in lines for read_id in line.get("no_plate", ())}  # type: ignore[attr-defined]
            assert no_plate
            assert no_plate.isdisjoint(read_id for _, read_id in raised)
        case "same plate faster than possible" | "switches port":
            seen = {alert.read.site for alert in raised.values() if alert.plate == notice["plate"]}
            assert seen == set(notice["sites"])
        case other:
            pytest.fail(f"no check of {other!r}")
