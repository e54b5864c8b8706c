"""An undone action of one site leaves the action of another site alone, even when both have the same id."""

import pytest

from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.console.actions.rules import ActionRefusedError, Actor, take_back
from anpr.console.board.card_view import card_view
from anpr.console.board.triage import NOW, BoardPosition
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_entry
from tests.unit.console.test_triage import GAP, WINDOW


def incident(kind: str, **fields: str) -> Incident:
    """Return an incident with the same action of Calais, which Calais has undone, and of Dover."""
    alert = an_alert(a_read(), an_entry())
    board = Board(GAP, WINDOW)
    board.add_alert(alert)
    board.add_action(an_action("action-1", kind, alert, **fields), 0)
    board.add_action(an_action("action-1", kind, alert, site="dover", officer="Dee", **fields), 0)
    board.add_action(an_action("action-2", "retracted", alert, retracts="action-1"), 1)
    (found,) = board.incidents(NOON)
    return found


def officer(site: str, name: str) -> Actor:
    return Actor(
        name,
        site,
        may_take_over=False,
        is_overdue=False,
        may_claim=True,
        at=NOON,
        colleagues=frozenset(),
        action_ids=("new",),
    )


def test_the_plate_check_of_the_other_site_stands() -> None:
    checked = incident("plate_check", plate_check="same")
    assert checked.plate_check_at("calais") is None
    assert checked.plate_check_at("dover") == "same"


def test_the_card_shows_the_outcome_of_the_other_site() -> None:
    settled = incident("outcome", outcome="stopped_found")
    outcome = card_view(settled, {}, "calais", BoardPosition(NOW, "", "")).outcome
    assert outcome is not None
    assert outcome.site == "dover"


def test_the_other_site_can_still_undo_its_action() -> None:
    settled = incident("outcome", outcome="stopped_found")
    [undo] = take_back(settled, officer("dover", "Dee"), {"action": "action-1"})
    assert (undo.action.site, undo.action.retracts) == ("dover", "action-1")
    with pytest.raises(ActionRefusedError, match="already undone"):
        take_back(settled, officer("calais", "Ann"), {"action": "action-1"})
