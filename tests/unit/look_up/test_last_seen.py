"""Where a vehicle was last at each port, in one line for each."""

from datetime import date, timedelta

from anpr.look_up.last_seen import LastSeen, last_seen
from anpr.look_up.timeline import timeline_of
from tests.support.sightings import a_misread, a_sighting, an_answer, no_answer
from tests.support.strategies import NOON

GAP = timedelta(minutes=30)


def test_the_newest_comes_first_then_who_did_not_answer_then_who_saw_nothing() -> None:
    replies = [
        an_answer("calais"),
        no_answer("dover"),
        an_answer("coquelles", *(a_sighting("coquelles", NOON - timedelta(hours=hours)) for hours in (2, 9))),
        an_answer("dunkerque", a_sighting("dunkerque", NOON)),
    ]
    found = last_seen(timeline_of(replies, GAP), ("calais", "coquelles", "dover", "dunkerque"))
    assert [(seen.site, seen.stay and seen.stay.last_seen_at, bool(seen.problem)) for seen in found] == [
        ("dunkerque", NOON, False),
        ("coquelles", NOON - timedelta(hours=2), False),
        ("dover", None, True),
        ("calais", None, False),
    ]


def test_a_possible_misread_counts_only_where_nothing_surer_was_seen_and_is_named_as_one() -> None:
    earlier, later = NOON - timedelta(days=1), NOON
    replies = [
        an_answer("calais", a_misread("calais", later)),
        an_answer("coquelles", a_misread("coquelles", later), a_sighting("coquelles", earlier)),
    ]
    calais, coquelles = last_seen(timeline_of(replies, GAP), ("calais", "coquelles"))
    assert calais.is_misread
    assert coquelles.stay is not None
    assert not coquelles.is_misread
    assert coquelles.stay.last_seen_at == earlier


def test_a_port_that_saw_nothing_says_since_when_it_would_know() -> None:
    assert last_seen(timeline_of([an_answer("calais")], GAP), ("calais",)) == [
        LastSeen("calais", kept_since=date(2000, 1, 1))
    ]
