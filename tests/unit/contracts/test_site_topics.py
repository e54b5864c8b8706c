"""A record counts only on a topic of its own site, under its own id, and not before it happened."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from anpr.contracts.events import Action, Alert, BackCheckStatus, Correction, Status, encode
from anpr.contracts.site_topics import UNREADABLE, SiteTopic, check_time, decode
from tests.support.losses import a_loss
from tests.support.strategies import NOON, a_correction, a_read, an_action, an_alert, an_entry, generation

ALERTS = SiteTopic("calais", "alerts")
ACTIONS = SiteTopic("calais", "actions")
STATUS = SiteTopic("calais", "status")


@pytest.mark.parametrize(
    ("fact", "topic"),
    [
        (an_alert(a_read(), an_entry()), ALERTS),
        (Correction(site="calais", read_id="b", supersedes="a"), ALERTS),
        (an_action("1", "claimed", "alert"), ACTIONS),
        (Status(site="calais", matcher="m", at=NOON, started_at=NOON), STATUS),
        (BackCheckStatus(site="calais", at=NOON, looked_up_to=generation(1)), STATUS),
    ],
    ids=["alert", "correction", "action", "status", "status of a back-check"],
)
def test_a_record_of_the_topics_own_site_is_read(
    fact: Alert | Correction | Action | Status | BackCheckStatus, topic: SiteTopic
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
    loss, letters = a_loss(1, 4, 6), SiteTopic("calais", "dead letters")
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
