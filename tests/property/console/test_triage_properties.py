"""However often and however surely a vehicle was seen in France: if it calls a UK port, nothing silences that."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from anpr.board.board import Board
from anpr.console.board.triage import TriageRules, calls, position_of
from anpr.contracts.events import Alert, Candidate, Explanation
from anpr.runtime.settings import Route
from tests.support.strategies import a_read, an_alert, an_entry, minutes

FERRY = Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90, wait_minutes=30)
DOVER = TriageRules("dover", timedelta(minutes=2), 0.3, {"calais": FERRY})
PLATE = "AB12CDE"
OVERDUE_MINUTES = 90 + 30 + 60


def _alert(minute: int, entry_id: str, tier: str, score: float, *, is_guess: bool) -> Alert:
    """Return an alert about the camera's first reading, or about a guess."""
    of_read = {"plate": "XY1", "candidates": (Candidate(plate=PLATE, confidence=0.2),)} if is_guess else {}
    return an_alert(
        a_read(f"{minute}-{is_guess}", captured_at=minutes(minute), **of_read),
        an_entry(entry_id),
        tier=tier,
        score=score,
        explanation=Explanation(read_as=PLATE, listed_as=PLATE),
    )


alerts = st.builds(
    _alert,
    st.sampled_from((0, 40, 45, 80)),
    st.sampled_from(("entry-1", "entry-1", "entry-2")),
    st.sampled_from(("exact", "folded", "near")),
    st.sampled_from((0.9, 0.2)),
    is_guess=st.booleans(),
)


@given(st.lists(alerts, min_size=1, max_size=4), st.sampled_from((85, 126, 179)))
def test_no_later_sighting_silences_a_vehicle_that_is_due(seen: list[Alert], minute: int) -> None:
    board, now = Board(timedelta(minutes=30), timedelta(hours=72)), minutes(minute)
    for alert in seen:
        board.add_alert(alert)
    incidents = sorted(board.incidents(now), key=lambda incident: incident.first_captured_at)
    for number, incident in enumerate(incidents):
        is_due = now <= incident.last_captured_at + timedelta(minutes=OVERDUE_MINUTES)
        if is_due and incident.is_sure(DOVER.review_below_score):
            shown = [one for one in incidents[number:] if position_of(one, DOVER, now).section]
            assert any(calls(one, DOVER, now) for one in shown)
