"""A board reads only records of the topic's own site, and keeps covert alerts from people without permission."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from anpr.board.board_records import UNREADABLE, BoardTopic, board_topics, check_time, decode, is_covert
from anpr.contracts import topics
from anpr.contracts.events import Action, Alert, Correction, Status, encode
from tests.support.losses import a_loss
from tests.support.strategies import NOON, a_correction, a_read, an_action, an_alert, an_entry

ALERTS = BoardTopic("calais", "alerts")
COVERT_ALERTS = BoardTopic("calais", "alerts", is_covert=True)
ACTIONS = BoardTopic("calais", "actions")
STATUS = BoardTopic("calais", "status")


def test_covert_topics_are_read_only_if_asked_for() -> None:
    open_topics = board_topics(["calais"], with_covert=False)
    assert open_topics.keys() == {
        topics.alerts("calais"),
        topics.actions("calais"),
        topics.arrivals("calais"),
        topics.status("calais"),
        topics.deadletters("calais"),
    }
    all_topics = board_topics(["calais"], with_covert=True)
    assert {name for name, topic in all_topics.items() if topic.is_covert} == set(topics.covert("calais"))


@pytest.mark.parametrize(
    ("fact", "topic"),
    [
        (an_alert(a_read(), an_entry()), ALERTS),
        (Correction(site="calais", read_id="b", supersedes="a"), ALERTS),
        (an_action("1", "claimed", "alert"), ACTIONS),
        (Status(site="calais", matcher="m", at=NOON, started_at=NOON), STATUS),
    ],
    ids=["alert", "correction", "action", "status"],
)
def test_a_record_of_the_topics_own_site_is_read(
    fact: Alert | Correction | Action | Status, topic: BoardTopic
) -> None:
    assert decode(encode(fact), topic) == fact
    with pytest.raises(UNREADABLE):
        decode(encode(fact), topic._replace(site="dover"))


def test_an_alert_under_the_id_of_another_is_not_read() -> None:
    alert = msgspec.structs.replace(an_alert(a_read(), an_entry()), alert_id="another")
    with pytest.raises(UNREADABLE, match="under an id that is not its own"):
        decode(encode(alert), ALERTS)


@pytest.mark.parametrize("changes", [{"loss_id": "another"}, {"topic": "anpr.dover.reads.v1"}, {"last_offset": 7}])
def test_a_loss_under_an_id_that_is_not_its_own_is_not_read(changes: dict[str, Any]) -> None:
    loss, letters = a_loss(1, 4, 6), BoardTopic("calais", "dead letters")
    assert decode(encode(loss), letters) == loss
    with pytest.raises(UNREADABLE, match="a loss under an id that is not its own"):
        decode(encode(msgspec.structs.replace(loss, **changes)), letters)


OLD_READ = {
    "read": {"read_id": "read-1", "site": "calais", "plate": "AB12CDE", "captured_at": "2026-03-01T12:00:00Z"}
}


def an_old_alert(**changes: Any) -> bytes:
    """Return the alert of an earlier version, which hashed site, read and entry alone and wrote no `claimed_at`."""
    alert = json.loads(encode(an_alert(a_read(), an_entry()))) | OLD_READ
    return json.dumps({**alert, "alert_id": "449f5a8f48e0d476d6991fab3ec7a8ed", **changes}).encode()


def test_the_alerts_of_an_earlier_version_stay_on_the_board() -> None:
    alert = decode(an_old_alert(), ALERTS)
    assert isinstance(alert, Alert)
    assert alert.alert_id == "449f5a8f48e0d476d6991fab3ec7a8ed"


@pytest.mark.parametrize(
    "changes",
    [
        {"read": OLD_READ["read"] | {"claimed_at": "2026-03-01T12:00:00Z"}},
        {"read": OLD_READ["read"] | {"read_id": "read-2"}},
        {"entry": json.loads(encode(an_entry("entry-2")))},
    ],
    ids=["of this version", "of another read", "of another entry"],
)
def test_an_old_id_that_is_not_its_own_is_not_read(changes: dict[str, Any]) -> None:
    with pytest.raises(UNREADABLE, match="under an id that is not its own"):
        decode(an_old_alert(**changes), ALERTS)


def test_a_record_of_a_covert_topic_is_covert_and_so_is_a_covert_alert_on_the_open_topic() -> None:
    open_alert, covert_alert = (an_alert(a_read(), an_entry(handling=handling)) for handling in ("open", "covert"))
    assert not is_covert(open_alert, ALERTS)
    assert is_covert(open_alert, COVERT_ALERTS)
    assert is_covert(covert_alert, ALERTS)


def test_a_record_of_the_future_is_refused_and_says_by_how_much() -> None:
    alert = an_alert(a_read(captured_at=NOON + timedelta(days=3)), an_entry())
    with pytest.raises(UNREADABLE, match="3 days after it arrived"):
        check_time(alert, NOON)
    for fact in (a_correction(alert), an_action("a", "claimed", alert, at=NOON + timedelta(days=2))):
        with pytest.raises(UNREADABLE):
            check_time(fact, NOON)
    # Clocks differ, and a broker may not say when it got a record.
    for arrived_at in (NOON + timedelta(days=2), None):
        check_time(alert, arrived_at)
