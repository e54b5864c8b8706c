"""A page that is updated step by step shows the same as a new page."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from anpr.board.board import Board
from anpr.board.journeys import ALWAYS, NEVER, concern_of
from anpr.console.board.board_page import BoardPage
from anpr.console.board.card_renderer import CardRenderer
from anpr.console.board.change_stream import ChangeStream
from anpr.console.board.triage import TriageRules
from anpr.console.http.render import environment
from anpr.contracts.events import Alert, Explanation
from anpr.contracts.local_days import LocalDays
from anpr.contracts.moments import FIRST_MOMENT, LAST_MOMENT, shifted
from anpr.contracts.plates import canonical
from anpr.runtime.settings import Route, Site
from tests.support.strategies import a_correction, a_read, an_action, an_alert, an_entry, minutes

CARD = environment(None, ZoneInfo("Pacific/Auckland"), {}).get_template("card.html")
WINDOWS = st.sampled_from([timedelta(minutes=40), timedelta(minutes=120), timedelta(hours=48)])
FERRY = Route(origin="coquelles", destination="calais", by="ferry", crossing_minutes=1)
HOUR = timedelta(hours=1)
ROAD = Route(origin="dunkerque", destination="calais", by="road", crossing_minutes=1)


def _alert(  # noqa: PLR0913, PLR0917  all that differs
    site: str, plate: str, read: int, minute: int, tier: str, valid_until: float
) -> Alert:
    key = canonical(plate)
    return an_alert(
        a_read(f"{plate}-{read}", site=site, plate=plate, captured_at=minutes(minute)),
        an_entry(plate, plate=plate, valid_until=minutes(valid_until)),
        tier=tier,
        plate=key,
        explanation=Explanation(read_as=key, listed_as=key),
    )


alerts = st.builds(
    _alert,
    st.sampled_from(["calais", "coquelles", "dunkerque"]),
    st.sampled_from(["AB1", "CD2", "B-MW 3", "BM-W 3", "BMW3"]),
    st.integers(1, 3),
    st.integers(0, 60),
    st.sampled_from(["exact", "near"]),
    st.sampled_from([30.5, 32, 61, 63, 1000]),
)
# Some end at the very moment at which time alone changes something.
waits = st.floats(0, 5) | st.sampled_from([0.5, 1, 2, 30, 60, 1440])
set_back = st.sampled_from([-0.5, -1, -2, -30, -60])
kinds = st.sampled_from(["claimed", "released", "attended", "outcome", "retracted"])
officers = st.sampled_from(["Ann", "Bob"])
sessions = st.none() | st.frozensets(officers)
steps = st.lists(
    st.tuples(st.just("alert"), alerts)
    | st.tuples(st.just("action"), st.tuples(alerts, kinds, st.integers(0, 60), officers))
    | st.tuples(st.just("correction"), alerts)
    | st.tuples(st.just("prune"), st.none())
    | st.tuples(st.just("look"), st.none())
    | st.tuples(st.just("sessions"), sessions)
    | st.tuples(st.just("watch"), st.sampled_from([NEVER, minutes(20), minutes(60), ALWAYS]))
    | st.tuples(st.just("wait"), waits | set_back),
    max_size=25,
)


def page(board: Board) -> BoardPage:
    rules = TriageRules(
        "calais", timedelta(minutes=2), 0.3, {"coquelles": FERRY, "dunkerque": ROAD}, has_cameras=True
    )
    cards = CardRenderer(CARD, {"calais": Site("Calais", "k", "r")}, rules)
    return BoardPage(board, rules, cards, ChangeStream("start"))


EARLY, AHEAD = _alert("calais", "AB1", 1, 0, "exact", 30.5), _alert("calais", "AB1", 2, 33, "exact", 61)


# The second alert's matcher has a clock that is ahead, so it rings some time after the page knows of it.
@example(
    [
        *[("alert", EARLY), ("alert", EARLY), ("wait", 2.0), ("alert", EARLY)],
        *[("alert", AHEAD), ("look", None), ("wait", 1.0)],
    ],
    timedelta(minutes=40),
)
# The console's clock was ahead, so that the entry seemed to have ended, and is set right.
@example([("alert", EARLY), ("wait", 1.0), ("look", None), ("wait", -1.0)], timedelta(minutes=40))
@given(steps, WINDOWS)
def test_a_page_updated_step_by_step_shows_what_a_new_page_shows(
    steps: list[tuple[str, Any]], window: timedelta
) -> None:
    board = Board(timedelta(minutes=10), window)
    kept = page(board)
    now, signed_in, watched_until = minutes(30), None, ALWAYS
    for number, (step, value) in enumerate(steps):
        if step == "wait":
            now += timedelta(minutes=value)
        elif step == "sessions":
            signed_in = value
        elif step == "watch":
            watched_until = value
        elif step == "look":
            kept.update((), now, signed_in, watched_until)
        elif step == "prune":
            board.prune(now)
        else:
            _happens(board, step, value, number)
    # At the very moment at which its time is over, and the moment after.
    for moment in (now, now + timedelta(milliseconds=1)):
        knows = ((), moment, signed_in, watched_until)
        assert kept.update(*knows) == page(board).update(*knows)


def _happens(board: Board, step: str, value: Any, number: int) -> None:
    if step == "alert":
        board.add_alert(value)
    elif step == "action":
        alert, kind, minute, officer = value
        retracts = f"action-{number - 2}" if kind == "retracted" else None
        outcome = ("misread", "handed_to_uk_port", "turned_away")[number % 3]
        fields = {"outcome": outcome, "retracts": retracts, "at": minutes(minute), "officer": officer}
        if kind == "released" and number % 2:
            fields["hands_to"] = "Bob" if officer == "Ann" else "Ann"
        board.add_action(an_action(f"action-{number}", kind, alert, **fields), number)
    else:
        board.add_correction(a_correction(value))


@given(st.lists(alerts, min_size=1, max_size=6), waits | st.floats(50, 130))
def test_time_alone_calls_the_supervisor_and_ends_entries(raised: list[Any], wait: float) -> None:
    board = Board(timedelta(minutes=10), timedelta(hours=72))
    kept = page(board)
    for alert in raised:
        board.add_alert(alert)
    first_look = max(alert.captured_at for alert in raised)
    kept.update((), first_look)
    later = first_look + timedelta(minutes=wait)
    assert kept.update((), later) == page(board).update((), later)


MOMENTS = st.sampled_from(
    [moment for edge in (FIRST_MOMENT, LAST_MOMENT) for moment in (edge, shifted(edge, -HOUR), shifted(edge, HOUR))]
) | st.datetimes(timezones=st.just(UTC))


@given(MOMENTS, MOMENTS, MOMENTS, st.none() | st.dates(), st.sampled_from(("calais", "coquelles", "dunkerque")))
def test_no_time_in_a_record_stops_the_page(
    captured_at: datetime, raised_at: datetime, valid_until: datetime, last_day: date | None, site: str
) -> None:
    """A record with such a time would otherwise stop the board of every port for as long as the topic keeps it."""
    board = Board(timedelta(minutes=10), timedelta(hours=72), LocalDays({site: ZoneInfo("Europe/Paris")}))
    entry = an_entry(plate="AB1", valid_until=valid_until, valid_until_day=last_day)
    board.add_alert(an_alert(a_read(plate="AB1", site=site, captured_at=captured_at), entry, raised_at=raised_at))
    kept = page(board)
    for now in (minutes(0), minutes(1), captured_at, shifted(captured_at, HOUR)):
        kept.update((), now)
        for incident in board.incidents(now):
            concern = concern_of(incident, "calais", {"coquelles": FERRY, "dunkerque": ROAD})
            assert concern is None or concern.earliest
    board.prune(minutes(0))
