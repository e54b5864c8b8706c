"""However often a vehicle was seen, or another one was taken for it: if it calls a UK port, nothing silences that."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from anpr.board.board import Board
from anpr.board.incident import OTHER_VEHICLE
from anpr.console.board.triage import TriageRules, calls, position_of
from anpr.contracts.events import Alert, Candidate, Cover, Explanation
from anpr.runtime.settings import Route
from tests.support.strategies import a_read, an_action, an_alert, an_arrival, an_entry, minutes

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


ON_THE_WATER = _alert(0, "entry-1", "exact", 0.9, is_guess=False)
AT_DOVER = [
    an_alert(a_read(f"{minute}-{tier}", site="dover", camera="in-1", captured_at=minutes(minute)), entry, tier=tier)
    for minute in (95, 100, 110)
    for tier in ("exact", "folded", "near")
    for entry in (an_entry("entry-1"), an_entry("entry-2"))
]
# Of each alert, whether its read is an arrival, and what the port said of it.
taken_for_it = st.tuples(
    st.sampled_from(AT_DOVER), st.sampled_from((True, True, False)), st.sampled_from((None, *OTHER_VEHICLE))
)


@given(
    st.lists(taken_for_it, min_size=1, max_size=4, unique_by=lambda one: one[0].alert_id),
    st.sampled_from(((), tuple(Cover(entry_id=name, tier="exact") for name in ("entry-1", "entry-2")))),
    st.sampled_from((111, 126, 179)),
)
def test_no_other_vehicle_that_was_taken_for_it_silences_a_vehicle_that_is_due(
    taken: list[tuple[Alert, bool, str | None]], covers: tuple[Cover, ...], minute: int
) -> None:
    board, now = Board(timedelta(minutes=30), timedelta(hours=72)), minutes(minute)
    board.add_alert(ON_THE_WATER)
    for number, (own, has_arrived, outcome) in enumerate(taken):
        board.add_alert(own)
        if has_arrived:
            board.add_arrival(an_arrival(ON_THE_WATER, own.captured_at, read_id=own.read.read_id, tier=own.tier))
        if outcome is not None:
            said = an_action(f"{number}", "outcome", own, site="dover", outcome=outcome, covers=covers)
            board.add_action(said, number)
    shown = [incident for incident in board.incidents(now) if position_of(incident, DOVER, now).section]
    assert any(calls(incident, DOVER, now) for incident in shown)
