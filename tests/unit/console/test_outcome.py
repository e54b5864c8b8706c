"""An outcome settles all that was on the officer's screen."""

import pytest

from anpr.board.board import Board
from anpr.console.actions.rules import give_outcome
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_entry, minutes
from tests.unit.console.test_retracted_actions import officer
from tests.unit.console.test_triage import GAP, WINDOW


@pytest.mark.parametrize("outcome", ["stopped_found", "misread", "same_plate_other_vehicle"])
def test_whatever_it_says_an_outcome_settles_a_less_sure_read_after_a_surer_one(outcome: str) -> None:
    board = Board(GAP, WINDOW)
    surest, last = (
        an_alert(a_read(tier, captured_at=minutes(at)), an_entry(), tier=tier)
        for at, tier in ((0, "exact"), (20, "folded"))
    )
    board.add_alert(surest)
    board.add_alert(last)
    board.add_action(an_action("a", "claimed", surest), 0)
    board.add_action(an_action("b", "plate_check", surest, plate_check="unreadable"), 1)
    [incident] = board.incidents(NOON)
    seen = f"{surest.alert_id} {last.alert_id}"
    [(given, _)] = give_outcome(incident, officer("calais", "Ann"), {"outcome": outcome, "seen": seen})
    board.add_action(given, 2)
    [settled] = board.incidents(NOON)
    assert settled.status == "closed"
