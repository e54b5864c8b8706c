"""Incidents of another site concern this one when the vehicle is due off the ferry or may try here by road."""

from typing import Any

import pytest

from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.board.journeys import CROSSES, ENDS_THERE, Concern, arrivals, concern_of
from anpr.contracts.events import OUTCOMES, Action, Alert
from anpr.runtime.settings import Route
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_entry, minutes
from tests.unit.console.test_triage import GAP, WINDOW

FERRY = Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90, wait_minutes=30)
ROAD = Route(origin="calais", destination="coquelles", by="road", crossing_minutes=10)


def alert(**fields: Any) -> Alert:
    return an_alert(a_read(**fields), an_entry())


def outcome(value: str, action_id: str = "o", *, site: str = "calais", at: float = 5) -> Action:
    return an_action(action_id, "outcome", alert(), site=site, outcome=value, at=minutes(at))


def incident(*actions: Action, **fields: Any) -> Incident:
    board = Board(GAP, WINDOW)
    board.add_alert(alert(**fields))
    for offset, action in enumerate(actions):
        board.add_action(action, offset)
    (one,) = board.incidents(NOON)
    return one


def at_dover(one: Incident) -> Concern | None:
    return concern_of(one, "dover", {"calais": FERRY})


def at_coquelles(one: Incident) -> Concern | None:
    return concern_of(one, "coquelles", {"calais": ROAD})


def test_a_uk_port_knows_when_a_vehicle_drives_off_the_ferry_and_may_claim_it() -> None:
    why = at_dover(incident())
    assert why is not None
    assert (why.earliest, why.latest) == (minutes(90), minutes(120))
    assert why.may_claim
    assert why.until == minutes(180), "ships are late"


def test_no_vehicle_is_due_without_a_route_and_one_bound_for_france_is_not_due_in_dover() -> None:
    assert concern_of(incident(), "folkestone", {}) is None
    assert concern_of(incident(site="dunkerque"), "dover", {"calais": FERRY}) is None
    assert at_dover(incident(direction="fr_bound")) is None
    assert at_dover(incident(direction="uk_bound")) is not None


@pytest.mark.parametrize("value", ["handed_to_uk_port", "passed_before_ack", "of a later version"])
def test_a_vehicle_that_was_let_through_is_due_though_it_is_settled_in_france(value: str) -> None:
    why = at_dover(incident(outcome(value)))
    assert why is not None
    assert why.after is not None
    assert why.may_claim


@pytest.mark.parametrize("value", ["turned_away", "stopped_found", "stopped_nothing_found", "misread"])
def test_a_vehicle_that_was_stopped_in_france_is_not_due(value: str) -> None:
    assert at_dover(incident(outcome(value))) is None


def test_an_incident_that_the_uk_port_has_settled_does_not_concern_it() -> None:
    assert (
        at_dover(incident(outcome("handed_to_uk_port"), outcome("stopped_found", "p", site="dover", at=100))) is None
    )


def test_a_vehicle_that_was_turned_away_may_try_the_other_port_for_a_day() -> None:
    why = at_coquelles(incident(outcome("turned_away")))
    assert why is not None
    assert (why.earliest, why.latest) == (minutes(15), None)
    assert why.until == minutes(5 + 24 * 60)
    assert not why.may_claim, "only the site where it happened can claim it"
    assert at_coquelles(incident(outcome("stopped_found"))) is None


def test_a_retracted_outcome_makes_no_vehicle_due() -> None:
    back = an_action("back", "retracted", alert(), retracts="o")
    why = at_coquelles(incident(outcome("turned_away"), back))
    assert why is not None
    assert why.after is None


def test_an_outcome_of_another_port_with_the_id_of_a_retracted_one_still_counts() -> None:
    back = an_action("back", "retracted", alert(), retracts="o")
    settled = incident(outcome("turned_away"), back, outcome("stopped_found", site="coquelles"))
    assert at_coquelles(settled) is None


def test_a_vehicle_that_nobody_has_stopped_may_come_by_road_for_a_while() -> None:
    why = at_coquelles(incident())
    assert why is not None
    assert (why.after, why.until) == (None, minutes(120))


def test_arrivals_are_due_off_a_ship_the_next_first_without_vehicles_by_road_or_long_overdue() -> None:
    early, late, gone = (
        incident(),
        incident(captured_at=minutes(20)),
        incident(captured_at=minutes(-120)),
    )
    routes = {"calais": FERRY}
    found = arrivals([late, gone, early], "dover", routes, minutes(70))
    assert [(one, why.earliest) for one, why in found] == [(early, minutes(90)), (late, minutes(110))]
    assert arrivals([early], "coquelles", {"calais": ROAD}, minutes(70)) == []
    claimed = incident(an_action("c", "claimed", alert(), site="dover"))
    assert arrivals([claimed], "dover", routes, minutes(600)), "however late"


def test_of_every_outcome_it_is_known_whether_the_vehicle_crosses_after_it() -> None:
    assert set(OUTCOMES) == ENDS_THERE | CROSSES
    assert not ENDS_THERE & CROSSES


def test_stays_of_which_none_speaks_for_another_are_placed_without_comparing_all_with_all_again_and_again() -> None:
    """A list may give a vehicle a new entry for each day. Twice the work for each stay would never end here."""
    board = Board(GAP, 100 * GAP)
    for number in range(48):
        at = NOON + 2 * number * GAP
        board.add_alert(an_alert(a_read(f"read-{number}", captured_at=at), an_entry(f"entry-{number}")))
    first = min(board.incidents(at), key=lambda one: one.first_captured_at)
    why = at_dover(first)
    assert why is not None
    assert why.seen_before is None


def test_a_vehicle_that_passes_all_the_time_is_compared_like_any_other() -> None:
    """Where each stay held the next one, pages could not compare two incidents of a vehicle with a thousand stays."""
    stays = 1500
    boards = [Board(GAP, 3 * stays * GAP), Board(GAP, 3 * stays * GAP)]
    for board in boards:
        for number in range(stays):
            board.add_alert(alert(read_id=f"read-{number}", captured_at=NOON + 2 * number * GAP))
    end = NOON + 2 * stays * GAP
    first, second = (sorted(board.incidents(end), key=lambda one: one.first_captured_at) for board in boards)
    assert first == second
    assert [one.expected_again_at for one in first] == [*(one.last_captured_at for one in first[1:]), None]
