"""A page that looks only at what has changed shows what a page that looks at everything would show."""

from datetime import UTC, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anpr.board.board import Board
from anpr.console.board.board_page import BoardPage
from anpr.console.board.change_stream import ChangeStream
from anpr.console.board.triage import Rules
from anpr.console.http.render import environment
from anpr.contracts.events import Correction
from anpr.runtime.settings import Route, Site
from tests.support.strategies import a_read, an_action, an_alert, an_entry, minutes

TEMPLATES = environment(None, UTC)
WINDOWS = st.sampled_from([timedelta(minutes=40), timedelta(minutes=120)])
FERRY = Route(origin="coquelles", destination="calais", by="ferry", crossing_minutes=1)

alerts = st.builds(
    lambda site, plate, read, minute, tier, valid_until: an_alert(
        a_read(f"{plate}-{read}", site=site, plate=plate, captured_at=minutes(minute)),
        an_entry(plate, plate=plate, valid_until=minutes(valid_until)),
        tier=tier,
    ),
    st.sampled_from(["calais", "coquelles"]),
    st.sampled_from(["AB1", "CD2", "EF3"]),
    st.integers(1, 3),
    st.integers(0, 60),
    st.sampled_from(["exact", "near"]),
    st.sampled_from([30.5, 32, 61, 63, 1000]),
)
kinds = st.sampled_from(["claimed", "released", "outcome", "retracted"])
steps = st.lists(
    st.tuples(st.just("alert"), alerts)
    | st.tuples(st.just("action"), st.tuples(alerts, kinds))
    | st.tuples(st.just("correction"), alerts)
    | st.tuples(st.just("prune"), st.none())
    | st.tuples(st.just("look"), st.none())
    | st.tuples(st.just("wait"), st.floats(0, 5)),
    max_size=25,
)


def page(board: Board) -> BoardPage:
    rules = Rules("calais", timedelta(minutes=2), 0.3, {"coquelles": FERRY})
    return BoardPage(board, rules, {"calais": Site("Calais", "k", "r")}, TEMPLATES, ChangeStream("start"))


@given(steps, WINDOWS)
def test_it_shows_what_a_page_made_anew_shows(steps: list[tuple[str, Any]], window: timedelta) -> None:
    board = Board(timedelta(minutes=10), window)
    kept = page(board)
    now = minutes(30)
    for number, (step, value) in enumerate(steps):
        if step == "wait":
            now += timedelta(minutes=value)
        elif step == "look":
            kept.picture((), now)
        elif step == "prune":
            board.prune(now)
        else:
            _happens(board, step, value, number)
    # A moment later, for at the very moment at which its time is over a thing may still stand where it was.
    kept.picture((), now)
    now += timedelta(milliseconds=1)
    assert kept.picture((), now) == page(board).picture((), now)


def _happens(board: Board, step: str, value: Any, number: int) -> None:
    if step == "alert":
        board.add_alert(value)
    elif step == "action":
        alert, kind = value
        retracts = f"action-{number - 2}" if kind == "retracted" else None
        outcome = ("misread", "handed_to_uk_port")[number % 2]
        board.add_action(an_action(f"action-{number}", kind, alert, outcome=outcome, retracts=retracts), number)
    else:
        board.add_correction(Correction(site=value.read.site, read_id="new", supersedes=value.read.read_id))


@given(st.lists(alerts, min_size=1, max_size=6), st.floats(0, 5) | st.floats(50, 130))
def test_time_alone_calls_the_supervisor_and_ends_entries_without_anything_having_happened(
    raised: list[Any], wait: float
) -> None:
    board = Board(timedelta(minutes=10), timedelta(hours=72))
    kept = page(board)
    for alert in raised:
        board.add_alert(alert)
    first_look = max(alert.captured_at for alert in raised)
    kept.picture((), first_look)
    later = first_look + timedelta(minutes=wait, milliseconds=1)
    assert kept.picture((), later) == page(board).picture((), later)
