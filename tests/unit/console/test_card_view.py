"""The card of an incident says what an officer needs to tell its vehicle from others."""

from datetime import UTC, timedelta

import pytest

from anpr.board.board import Board
from anpr.console.board.card_view import card_view
from anpr.console.board.triage import NOW, BoardPosition
from anpr.console.http.render import environment
from anpr.contracts.events import Alert
from anpr.contracts.local_days import UTC_DAYS
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from tests.support.strategies import NOON, a_read, an_entry, generation

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
