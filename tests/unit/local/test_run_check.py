from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.contracts.events import Alert
from anpr.local import run_check
from anpr.local.run_check import BoardCheck, ExpectedAlert, Guess, HistoryCheck, ListedRead, Summary, TruePass, Truth
from anpr.runtime.settings import Route
from tests.support.strategies import NOON, a_read, an_alert, an_arrival, an_entry, as_written, minutes


def sighting(number: int, tier: str = "exact", site: str = "calais") -> Alert:
    """Return an alert on a plate of its own."""
    entry = an_entry(f"entry-{number}", plate=f"AB{number}")
    return an_alert(a_read(f"read-{number}", site=site, camera="lane-1"), entry, tier=tier)


def of_read(read_id: str) -> dict[str, str]:
    """Return how the truth names a read of this file."""
    return {"read_id": read_id, "camera": "lane-1", "claimed_at": as_written(NOON)}


def on_a_board(*alerts: Alert) -> list[Incident]:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    for alert in alerts:
        board.add_alert(alert)
    return board.incidents(NOON)


def expected(*alerts: Alert) -> Truth:
    return Truth({alert.alert_id: alert.tier for alert in alerts}, frozenset(), ())


ONE, TWO, THREE = sighting(1), sighting(2), sighting(3)


# --- a board against the truth ---


@pytest.mark.parametrize(
    ("shown", "wanted", "check"),
    [
        ((ONE, TWO), (ONE, TWO), BoardCheck(expected=2, found=2, missing=0, unexpected=0, incidents=2)),
        ((), (), BoardCheck(expected=0, found=0, missing=0, unexpected=0, incidents=0)),
        ((ONE,), (ONE, TWO), BoardCheck(expected=2, found=1, missing=1, unexpected=0, incidents=1)),
        ((ONE, TWO), (ONE,), BoardCheck(expected=1, found=1, missing=0, unexpected=1, incidents=2)),
        ((TWO, THREE), (ONE, TWO), BoardCheck(expected=2, found=1, missing=1, unexpected=1, incidents=2)),
        (
            (sighting(1, "equivalent"),),
            (ONE,),
            BoardCheck(expected=1, found=0, missing=1, unexpected=1, incidents=1),
        ),
    ],
    ids=["exact", "none expected, none shown", "one missing", "one too many", "another alert", "another tier"],
)
def test_a_board_is_exact_when_it_shows_every_expected_alert_and_no_other(
    shown: tuple[Alert, ...], wanted: tuple[Alert, ...], check: BoardCheck
) -> None:
    assert run_check.check_board(on_a_board(*shown), expected(*wanted)) == check
    assert check.is_exact == (shown == wanted)


def test_alerts_of_one_stay_are_one_incident_and_each_is_compared() -> None:
    front, rear = (an_alert(a_read(name, captured_at=minutes(0)), an_entry()) for name in ("front", "rear"))
    check = run_check.check_board(on_a_board(front, rear), expected(front, rear))
    assert check == BoardCheck(expected=2, found=2, missing=0, unexpected=0, incidents=1)


def test_an_alert_in_two_incidents_is_an_error_of_the_board() -> None:
    with pytest.raises(AssertionError, match=f"{ONE.alert_id} is in two incidents"):
        run_check.check_board(on_a_board(ONE) * 2, expected(ONE))


def test_the_truth_names_alerts_by_the_ids_that_the_matcher_gives_them() -> None:
    line = b"""{"site": "calais", "pass_id": "p", "expected": [
        {"read_id": "read-1", "camera": "lane-1", "claimed_at": "2026-03-01T12:00:00Z",
            "entry_id": "entry-1", "tier": "exact"},
        {"read_id": "read-2", "camera": "lane-1", "claimed_at": "2026-03-01T12:00:00Z",
            "entry_id": "entry-2", "tier": "exact"}]}"""
    at_dover = TruePass("dover", (ExpectedAlert(**of_read("read-3"), entry_id="entry-3", tier="near"),))
    truth = [msgspec.json.decode(line, type=TruePass), at_dover]
    assert run_check.truth_of(truth) == expected(ONE, TWO, sighting(3, "near", "dover"))


# --- alerts of other than the sure tiers ---


def a_misread_pass(*misread: int, right: int | None = None) -> TruePass:
    """Return the pass of the vehicle of entry-1: reads that were misread, and perhaps one that was right."""
    return TruePass(
        "calais",
        () if right is None else (ExpectedAlert(**of_read(f"read-{right}"), entry_id="entry-1", tier="exact"),),
        tuple(f"read-{number}" for number in misread),
        tuple(Guess(**of_read(f"read-{number}"), entries=("entry-1",)) for number in misread),
    )


def guessed(read: int, tier: str = "folded", entry: int = 1) -> Alert:
    """Return an alert of an unsure tier on a read."""
    return an_alert(
        a_read(f"read-{read}", camera="lane-1"), an_entry(f"entry-{entry}", plate=f"AB{entry}"), tier=tier
    )


def test_a_misread_vehicle_that_is_found_is_no_false_guess() -> None:
    truth = run_check.truth_of([a_misread_pass(1, 2)])
    check = run_check.check_board(on_a_board(guessed(2), guessed(9, "near"), guessed(1, "near", entry=5)), truth)
    assert (check.beyond, check.false_guesses, check.unexpected) == (1, 2, 0)
    assert (check.misread_vehicles, check.misread_found) == (1, 1)
    assert check.is_exact, "an unsure alert does not make the run wrong"


def test_a_vehicle_with_a_right_read_is_no_misread_vehicle() -> None:
    check = run_check.check_board(
        on_a_board(sighting(1), guessed(2)), run_check.truth_of([a_misread_pass(2, right=1)])
    )
    assert (check.found, check.beyond, check.misread_vehicles, check.misread_found) == (1, 1, 0, 0)


def test_a_pattern_may_be_found_and_makes_no_vehicle_a_misread_one() -> None:
    truth = run_check.truth_of([TruePass("calais", (), (), (Guess(**of_read("read-1"), entries=("entry-1",)),))])
    check = run_check.check_board(on_a_board(guessed(1, "pattern")), truth)
    assert (check.beyond, check.false_guesses, check.misread_vehicles) == (1, 0, 0)


def test_a_misread_vehicle_that_nobody_found_is_counted() -> None:
    check = run_check.check_board([], run_check.truth_of([a_misread_pass(1), a_misread_pass(2, 3)]))
    assert (check.misread_vehicles, check.misread_found) == (2, 0)


@pytest.mark.parametrize("tier", ["exact", "equivalent"])
def test_a_sure_alert_on_a_misread_is_unexpected_even_for_the_right_vehicle(tier: str) -> None:
    check = run_check.check_board(on_a_board(guessed(1, tier)), run_check.truth_of([a_misread_pass(1)]))
    assert (check.unexpected, check.beyond, check.is_exact) == (1, 0, False)


def test_an_unsure_alert_in_place_of_a_sure_one_is_missing_and_unexpected() -> None:
    check = run_check.check_board(on_a_board(guessed(1)), run_check.truth_of([a_misread_pass(right=1)]))
    assert (check.missing, check.unexpected, check.false_guesses) == (1, 1, 0)


# --- the summary ---


def a_summary(**fields: Any) -> Summary:
    """Return the summary of a run that was right, with the fields given."""
    right: dict[str, Any] = {
        "kafka": "broker",
        "reads_in": 10,
        "matched": 9,
        "dead_letters": 1,
        "unaccounted": 0,
        "alerts_by_site": {},
        "alerts_by_tier": {},
        "alerts_by_kind": {},
        "capture_to_alert_ms": {},
        "capture_to_board_ms": {},
        "boards": {"calais": BoardCheck(2, 2, 0, 0, 1)},
        "history": HistoryCheck(sightings=9),
    }
    return Summary(**(right | fields))


def test_a_run_is_right_when_every_read_is_accounted_for_and_every_board_is_exact() -> None:
    assert a_summary().is_right


@pytest.mark.parametrize(
    "wrong",
    [
        {"unaccounted": 1},
        {"unaccounted": -1},
        {"reads_in": 0},
        {"boards": {"calais": BoardCheck(2, 2, 0, 0, 1), "dover": BoardCheck(2, 1, 1, 0, 1)}},
        {"boards": {"calais": BoardCheck(2, 2, 0, 1, 1)}},
        {"history": HistoryCheck(sightings=8)},
        {"history": HistoryCheck(sightings=10)},
        {"history": HistoryCheck(sightings=9, retrospective=2, retrospective_missing=1)},
        {"history": HistoryCheck(sightings=9, arrivals_met=2, arrivals_met_missing=1)},
        {"history": HistoryCheck(sightings=9, arrivals_met=2, arrivals_met_unexpected=1)},
        {"history": HistoryCheck(sightings=9, turned_away_met=2, turned_away_met_missing=1)},
    ],
    ids=[
        "a read lost",
        "a read too many",
        "no reads",
        "one board misses an alert",
        "an alert too many",
        "a sighting lost",
        "one twice",
        "a vehicle that passed before it was listed is not found",
        "one that arrived is not met",
        "one is met that did not arrive",
        "one that was turned away elsewhere is not known",
    ],
)
def test_a_run_with_any_fault_is_not_right(wrong: dict[str, Any]) -> None:
    assert not a_summary(**wrong).is_right


def test_alerts_are_counted_by_site_and_by_tier() -> None:
    kinds = [("near", "dover"), ("exact", "calais")] * 2
    alerts = [sighting(number, tier, site) for number, (tier, site) in enumerate(kinds)]
    assert list(run_check.count_by(alerts, lambda alert: alert.read.site).items()) == [("calais", 2), ("dover", 2)]
    assert list(run_check.count_by(alerts, lambda alert: alert.tier).items()) == [("exact", 2), ("near", 2)]


def test_the_alerts_to_be_found_afterwards_are_those_of_vehicles_that_passed_before_they_were_listed() -> None:
    passes = [a_misread_pass(right=1)]
    [expected] = passes[0].expected
    passed_at = datetime.fromisoformat(expected.claimed_at)
    later = passed_at + timedelta(seconds=1)
    assert run_check.passed_before(passes, {"entry-1"}, later) == run_check.truth_of(passes).expected.keys()
    assert not run_check.passed_before(passes, {"entry-1"}, passed_at)
    assert not run_check.passed_before(passes, {"entry-2"}, later)


FERRY = Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90, wait_minutes=36)


def seen_at_dover(minute: float, *, superseded: bool = False) -> TruePass:
    """Return a pass of the vehicle of entry-1 at Dover, so many minutes after noon."""
    read = ListedRead(
        read_id="arrived",
        camera="in-1",
        claimed_at=as_written(minutes(minute)),
        entries=("entry-1",),
        superseded=superseded,
    )
    return TruePass("dover", (), named=(read,))


def met(minute: float) -> list[Incident]:
    """Return the incident of the vehicle of entry-1, met at Dover so many minutes after noon."""
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    board.add_alert(ONE)
    board.add_arrival(an_arrival(ONE, minutes(minute)))
    return board.incidents(NOON)


@pytest.mark.parametrize(
    ("shown", "passes", "check"),
    [
        (met(100), [seen_at_dover(100)], (1, 0, 0)),
        (on_a_board(ONE), [seen_at_dover(100)], (0, 1, 0)),
        (met(100), [], (1, 0, 1)),
        (on_a_board(ONE), [seen_at_dover(20)], (0, 0, 0)),
        (on_a_board(ONE), [seen_at_dover(100, superseded=True)], (0, 0, 0)),
        (on_a_board(TWO), [seen_at_dover(100)], (0, 0, 0)),
    ],
    ids=["met", "not met", "met by nobody", "it cannot be there so soon", "a read that was corrected", "another one"],
)
def test_arrivals_on_a_board_are_compared_with_who_was_seen_at_the_port(
    shown: list[Incident], passes: list[TruePass], check: tuple[int, int, int]
) -> None:
    assert run_check.check_arrivals(shown, passes, [FERRY], minutes(110)) == check


def test_an_alert_for_a_vehicle_that_was_turned_away_elsewhere_is_expected_on_its_next_pass_alone() -> None:
    entry = an_entry("away", list="turned_away", plate="AB1")
    alert = an_alert(a_read("read-1", camera="lane-1", pass_id="next", plate="AB1"), entry)  # noqa: S106  no password
    assert run_check.known_as_turned_away([alert, ONE]) == {"next"}
    named = (ListedRead(read_id="read-1", camera="lane-1", claimed_at=as_written(NOON), entries=("entry-1",)),)
    again = TruePass("calais", (), named=named, pass_id="next", turned_away_from="dunkerque")  # noqa: S106  as above
    truth = run_check.truth_of([again])
    assert truth.turned_away == {"next"}
    assert run_check.check_board(on_a_board(alert), truth).is_exact
    assert not run_check.check_board(on_a_board(alert), expected()).is_exact


def test_latencies_are_reported_in_milliseconds_to_a_tenth() -> None:
    seconds = [number / 1000 for number in range(200)]
    assert run_check.percentiles_ms(seconds) == {"p50": 100, "p95": 190, "p99": 198}
    assert run_check.percentiles_ms([0.00123]) == {"p50": 1.2, "p95": 1.2, "p99": 1.2}


def test_without_alerts_there_are_no_latencies() -> None:
    assert run_check.percentiles_ms([]) == {"p50": None, "p95": None, "p99": None}
