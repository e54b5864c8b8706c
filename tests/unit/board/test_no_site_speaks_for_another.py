"""What one site says in its alerts about an entry changes nothing at another: only the list itself does."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from anpr.board.board import Board
from anpr.contracts.events import EntryListed
from tests.support.strategies import NOON, a_read, an_alert, an_entry, generation

ENTRY = an_entry("e", plate="AB12CDE")
GOOD = an_alert(a_read("r", site="calais", plate="AB12CDE", captured_at=NOON), ENTRY, raised_at=NOON)


@pytest.mark.parametrize(
    "said", [{"valid_until": NOON - timedelta(days=9)}, {"handling": "covert"}], ids=["has ended", "is covert"]
)
def test_an_alert_of_another_site_takes_no_incident_off_the_board(said: dict[str, Any]) -> None:
    entry = msgspec.structs.replace(ENTRY, revision=generation(999), **said)
    read = a_read("x", site="coquelles", plate="AB12CDE", captured_at=NOON)
    hostile = an_alert(read, entry, raised_at=NOON, generation=generation(999))
    board = Board(timedelta(minutes=30), timedelta(hours=72))
    for alert in (GOOD, hostile):
        board.add_alert(alert)
    shown = {incident.site: incident.status for incident in board.incidents(NOON)}
    assert shown["calais"] == "open"

    board.add_entry_listed(EntryListed(entry=entry, generation=generation(1000)))
    shown = {incident.site: incident.status for incident in board.incidents(NOON)}
    assert shown["calais"] == "withdrawn", "the list itself may say so"
