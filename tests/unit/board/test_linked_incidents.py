"""Two incidents of one vehicle know of each other: where it was expected, and where it raised an alert."""

from datetime import timedelta
from itertools import permutations

from anpr.board.board import Board
from anpr.contracts.events import Alert
from tests.support.board_model import Fact, add_fact, expected, seen
from tests.support.strategies import a_correction, a_read, an_alert, an_arrival, an_entry, minutes

GAP, NOW = timedelta(minutes=30), minutes(120)
BEFORE = an_alert(a_read(), an_entry())
ARRIVAL = an_arrival(BEFORE, minutes(100))


def own(read_id: str = "arrived", entry_id: str = "entry-1", camera: str = "in-1") -> Alert:
    return an_alert(a_read(read_id, site="dover", camera=camera, captured_at=minutes(100)), an_entry(entry_id))


def links(*facts: Fact) -> tuple[list[str], list[str]]:
    """Return the alerts there that the incident of `BEFORE` names, and what the incidents at Dover name."""
    board = Board(GAP, timedelta(hours=72))
    for fact in facts:
        add_fact(board, fact)
        board.incidents(NOW)  # whatever is cached then must not stay
    incidents = board.incidents(NOW)
    assert sorted(map(seen, incidents)) == sorted(expected(facts, GAP, NOW))
    return (
        [alert.alert_id for one in incidents if one.site == "calais" for alert in one.alerts_there.values()],
        [alert.alert_id for one in incidents if one.site == "dover" for alert in one.expected_by],
    )


def test_they_do_in_whatever_order_the_facts_come_and_no_longer_after_a_correction() -> None:
    facts: tuple[Fact, ...] = (BEFORE, ARRIVAL, own())
    for in_any_order in permutations(facts):
        assert links(*in_any_order) == ([own().alert_id], [BEFORE.alert_id])
    for in_any_order in permutations((*facts, a_correction(own()))):
        assert links(*in_any_order) == ([], [])


def test_only_the_read_that_was_the_arrival_and_the_same_entry_count() -> None:
    for other in (own("another read"), own(camera="in-2"), own(entry_id="entry-2")):
        assert links(BEFORE, ARRIVAL, other) == ([], [])


def test_an_incident_whose_partner_is_forgotten_names_it_no_more() -> None:
    board = Board(GAP, timedelta(minutes=40))
    for fact in (BEFORE, ARRIVAL, own()):
        add_fact(board, fact)
    [at_dover] = board.incidents(NOW)
    assert at_dover.expected_by == (BEFORE,)
    board.prune(NOW)
    [at_dover] = board.incidents(NOW)
    assert at_dover.expected_by == ()
