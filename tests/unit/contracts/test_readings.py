"""A match by a later guess of the camera is never shown as surer than what the camera read first."""

import re
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.console import labels
from anpr.console.board.card_view import card_view
from anpr.console.board.triage import NOW, BoardPosition, TriageRules, position_of
from anpr.console.http.render import environment
from anpr.contracts.events import Alert, Candidate, Explanation
from anpr.contracts.local_days import UTC_DAYS
from anpr.contracts.readings import is_guess, reading_that_matched
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from anpr.terminal.certainty import certainty
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_entry, generation, minutes

LISTED = "AB12CDE"
CARD = environment(None, UTC, {}).get_template("card.html")


def matched(plate: str, *candidates: str, **fields: Any) -> Alert:
    """Return the alert of a read of the listed plate, as a matcher raises it."""
    others = tuple(Candidate(plate=text, confidence=0.4) for text in candidates)
    read = a_read(plate=plate, candidates=others, confidence=0.6, country="GB", **fields)
    index = Index.build([an_entry(plate=LISTED, country="GB", tolerance="near")], generation(1))
    [alert] = raise_alerts([read], index, NOON, timedelta(minutes=1), UTC_DAYS)
    assert isinstance(alert, Alert)
    return alert


def incident_of(*alerts: Alert, outcome_on: Alert | None = None) -> Incident:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    for alert in alerts:
        board.add_alert(alert)
    if outcome_on is not None:
        board.add_action(an_action("a", "outcome", outcome_on, outcome="misread"), 0)
    [incident] = board.incidents(NOON)
    return incident


@pytest.mark.parametrize(
    ("plate", "candidates", "reading"),
    [
        (LISTED, (), 1),
        (LISTED, ("KL98XYZ",), 1),
        ("ab12 cde", (LISTED,), 1),
        ("A812CDE", ("KL98XYZ",), 1),
        ("KL98XYZ", (LISTED,), 2),
        ("KL98XYZ", ("MN76PQR", LISTED), 3),
    ],
)
def test_it_is_known_which_reading_of_the_camera_matched(
    plate: str, candidates: tuple[str, ...], reading: int
) -> None:
    alert = matched(plate, *candidates)
    assert reading_that_matched(alert.read, alert.explanation) == reading


def test_a_second_guess_is_never_shown_as_the_same_plate() -> None:
    guess = matched("KL98XYZ", LISTED)
    position = BoardPosition(NOW, "", "")
    html = CARD.render(card=card_view(incident_of(guess), {}, "calais", position), review_below_score=0.0)
    assert labels.certainty(guess, 0.0) == "Possible: check the plate"
    assert certainty(guess).startswith("possible: check the plate; the camera's first reading was KL98XYZ")
    assert "the camera&#39;s first reading was KL98XYZ; its second matches" in html
    text = " ".join(re.sub(r"<[^>]*>", "", html).split())
    assert "Read GB KL98XYZ Listed GB AB12CDE" in text.replace("GBKL", "GB KL").replace("GBAB", "GB AB")
    assert "Exact" not in html


def test_a_second_guess_ranks_below_true_readings_of_its_priority() -> None:
    rules = TriageRules("calais", timedelta(minutes=2), 0.0)
    guess = matched("KL98XYZ", LISTED, captured_at=minutes(1))
    older = an_alert(a_read("true"), an_entry())
    orders = [position_of(incident_of(alert), rules, NOON).order for alert in (older, guess)]
    assert orders == sorted(orders)


def test_an_outcome_about_a_second_guess_leaves_a_true_reading_open() -> None:
    guess, true = matched("KL98XYZ", LISTED, read_id="guess"), matched(LISTED, read_id="true")
    assert incident_of(guess, outcome_on=guess).status == "closed"
    assert incident_of(guess, true, outcome_on=guess).status == "open"
    assert incident_of(guess, true, outcome_on=true).status == "closed"


READS = st.builds(
    lambda number, is_true, tier, has_picture, suspect, at: an_alert(
        a_read(
            f"read-{number}",
            plate=LISTED if is_true else "KL98XYZ",
            candidates=() if is_true else (Candidate(plate=LISTED),),
            image="a/picture.jpg" if has_picture else None,
            clock_suspect=suspect,
            captured_at=minutes(at),
        ),
        an_entry(),
        tier=tier,
        explanation=Explanation(read_as=LISTED, listed_as=LISTED),
    ),
    st.integers(0, 1000),
    st.booleans(),
    st.sampled_from(["exact", "folded"]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 20),
)


@given(st.lists(READS, min_size=1, max_size=6, unique_by=lambda alert: alert.read.read_id))
def test_the_best_read_is_a_true_one_of_the_surest_tier_with_a_picture_and_a_trusted_clock_and_the_latest(
    reads: Sequence[Alert],
) -> None:
    best = incident_of(*reads).best
    left = list(reads)
    for is_better in (
        lambda alert: not is_guess(alert),
        lambda alert: alert.tier == "exact",
        lambda alert: alert.read.image is not None,
        lambda alert: not alert.read.clock_suspect,
    ):
        left = [alert for alert in left if is_better(alert)] or left
    assert best in left
    assert best.captured_at == max(alert.captured_at for alert in left)
