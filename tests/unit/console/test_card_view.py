"""The card of an incident says what an officer needs to tell its vehicle from others."""

import re
from datetime import UTC, timedelta

import pytest

from anpr.board.board import Board
from anpr.console.board.card_view import card_view
from anpr.console.board.triage import NOW, BoardPosition, TriageRules, position_of
from anpr.console.http.render import environment
from anpr.contracts.events import Alert
from anpr.contracts.local_days import UTC_DAYS
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from anpr.runtime.settings import Route
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_arrival, an_entry, generation, minutes

DOVER = TriageRules(
    "dover",
    timedelta(minutes=2),
    0.3,
    {"calais": Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90, wait_minutes=36)},
    has_cameras=True,
)
CARD = environment(None, UTC, {}).get_template("card.html")


@pytest.mark.parametrize(
    ("listed", "country", "shown"),
    [
        ("B-MW 555", "DE", "B-MW 555"),
        ("bm w555", "DE", "BM W555"),
        ("B-MW 5??", "DE", "B-MW 5??"),
        ("BMW555", "DE", ""),
        ("S-A 123", "DE", ""),
        ("AB12 CDE", "GB", ""),
    ],
)
def test_a_card_shows_the_listed_plate_with_its_gap_where_only_the_gap_tells(
    listed: str, country: str, shown: str
) -> None:
    index = Index.build([an_entry(plate=listed, country=country)], generation(1))
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    text = listed.replace("?", "5")
    for alert in raise_alerts([a_read(plate=text)], index, NOON, timedelta(minutes=1), UTC_DAYS):
        assert isinstance(alert, Alert)
        board.add_alert(alert)
    [incident] = board.incidents(NOON)
    html = CARD.render(card=card_view(incident, {}, "calais", BoardPosition(NOW, "", "")), review_below_score=0.3)
    assert (f"; listed as {shown}" in html) if shown else ("listed as" not in html)


@pytest.mark.parametrize(
    ("arrival", "at", "words"),
    [
        (None, 100, "Due off the ferry about 13:30 to 14:06 UTC."),
        (None, 130, "Overdue: not seen here. It was due off the ferry about 13:30 to 14:06 UTC."),
        ({"lane": "3"}, 130, "Arrived: seen here at 13:41 UTC in lane 3."),
        (
            {"lane": "3", "tier": "near"},
            130,
            "Perhaps arrived: seen here at 13:41 UTC in lane 3. The camera read another plate first;",
        ),
        (
            {"lane": None, "tier": "folded"},
            130,
            "Arrived: seen here at 13:41 UTC. Likely, not sure: check the plate.",
        ),
    ],
)
def test_a_card_says_whether_a_vehicle_that_is_expected_is_due_overdue_or_has_arrived(
    arrival: dict[str, str] | None, at: float, words: str
) -> None:
    board, alert = Board(timedelta(minutes=30), timedelta(hours=72)), an_alert(a_read(), an_entry())
    board.add_alert(alert)
    if arrival is not None:
        board.add_arrival(an_arrival(alert, minutes(101), **arrival))
    [incident] = board.incidents(minutes(at))
    view = card_view(incident, {}, "dover", position_of(incident, DOVER, minutes(at)))
    html = CARD.render(card=view, review_below_score=0.3)
    assert words in " ".join(re.sub(r"<[^>]*>", "", html).split())


def test_each_of_two_cards_of_one_vehicle_leads_to_the_other() -> None:
    board, before = Board(timedelta(minutes=30), timedelta(hours=72)), an_alert(a_read(), an_entry())
    own = an_alert(a_read("arrived", site="dover", camera="in-1", captured_at=minutes(101)), an_entry())
    board.add_alert(before)
    board.add_arrival(an_arrival(before, minutes(101)))
    board.add_alert(own)

    def words_of(alert: Alert) -> str:
        incident = board.incident_of(alert.alert_id, minutes(102))
        assert incident is not None
        view = card_view(incident, {}, "dover", position_of(incident, DOVER, minutes(102)))
        return CARD.render(card=view, review_below_score=0.3)

    assert "Expected from calais" in words_of(own)
    assert f'href="/incident/{before.alert_id}"' in words_of(own)
    assert f'<a class="govuk-link" href="/incident/{own.alert_id}">It has a card of its own here.' in words_of(before)


def test_a_card_says_that_what_was_taken_for_the_vehicle_was_another_one_until_it_comes() -> None:
    board, before = Board(timedelta(minutes=30), timedelta(hours=72)), an_alert(a_read(), an_entry())
    other = an_alert(a_read("other", site="dover", camera="in-1", captured_at=minutes(101)), an_entry())
    board.add_alert(before)
    board.add_alert(other)
    board.add_arrival(an_arrival(before, minutes(101), read_id="other", lane="3"))
    board.add_action(an_action("a", "outcome", other, site="dover", outcome="misread", at=minutes(103)), 0)

    def words() -> str:
        incident = board.incident_of(before.alert_id, minutes(130))
        assert incident is not None
        view = card_view(incident, {}, "dover", position_of(incident, DOVER, minutes(130)))
        return " ".join(re.sub(r"<[^>]*>", "", CARD.render(card=view, review_below_score=0.3)).split())

    assert (
        "Overdue: not seen here. It was due off the ferry about 13:30 to 14:06 UTC. "
        "What was taken for it here at 13:41 UTC in lane 3 was another vehicle: this one is still expected."
    ) in words()
    board.add_arrival(an_arrival(before, minutes(125), read_id="true"))
    assert "Arrived: seen here at 14:05 UTC" in words()
    assert "another vehicle" not in words()


def test_a_card_does_not_call_a_vehicle_overdue_that_nobody_has_looked_for() -> None:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    board.add_alert(an_alert(a_read(), an_entry()))
    [incident] = board.incidents(minutes(130))
    view = card_view(incident, {}, "dover", position_of(incident, DOVER, minutes(130), watched_until=minutes(120)))
    html = CARD.render(card=view, review_below_score=0.3)
    words = "Arrivals are not checked: it may have come. It was due off the ferry about 13:30 to 14:06 UTC."
    assert words in " ".join(re.sub(r"<[^>]*>", "", html).split())


def test_a_read_that_matches_several_entries_is_one_read_as_sure_as_the_surest() -> None:
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    listed, turned_away = an_entry("listed"), an_entry("turned-away", list="turned_away")
    for number, tier in ((1, "folded"), (2, "exact")):
        read = a_read(f"r{number}", captured_at=minutes(number))
        board.add_alert(an_alert(read, listed, tier=tier))
        board.add_alert(an_alert(read, turned_away, tier="near"))
    [incident] = board.incidents(NOON)
    card = card_view(incident, {}, "calais", BoardPosition(NOW, "", ""))
    assert [(alert.read.read_id, alert.tier) for alert in card.reads] == [("r2", "exact"), ("r1", "folded")]
    assert 'data-reads="2"' in CARD.render(card=card, review_below_score=0.3)
