"""The canary takes the same path as every read, and never counts as a vehicle."""

from datetime import datetime, timedelta

import msgspec

from anpr.board.board_feed import BoardFeed
from anpr.board.canary_sender import CanarySender
from anpr.contracts import canary, topics
from anpr.contracts.events import Alert, Read, encode
from anpr.contracts.local_days import UTC_DAYS
from anpr.kafka.in_memory import InMemoryBroker, InMemoryProducer, InMemoryTail
from anpr.local.processes import wait_until
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from anpr.reads.decoder import decode_read
from anpr.runtime.settings import Settings, Site
from tests.support.entries import NoLists
from tests.support.strategies import NOON, a_read, an_alert, an_entry, generation

SETTINGS = Settings({"calais": Site("Calais", "memory", "redis://none")})
ENTRY = canary.entry(NOON)


def canary_alert(read: Read) -> Alert:
    (alert,) = raise_alerts([read], Index.build([ENTRY], generation(1)), NOON, timedelta(minutes=1), UTC_DAYS)
    assert isinstance(alert, Alert)
    return alert


def fed(*alerts: Alert) -> BoardFeed:
    broker = InMemoryBroker(lambda: NOON)
    for alert in alerts:
        broker.topics[topics.alerts("calais")].append((None, encode(alert), {}, NOON))
    feed = BoardFeed(SETTINGS, lambda _, names: InMemoryTail(broker, names), NoLists(), lambda: NOON)
    feed.start()
    try:
        while not feed.caught_up():
            feed.fold_new_records(0.01)
    finally:
        feed.stop()
    return feed


class Sender:
    """A canary sender on an in-memory broker, at noon. `returned_at` is when the last returned canary was sent."""

    def __init__(self, due_seconds: float = 5) -> None:
        self.returned_at: datetime | None = None
        self.broker = InMemoryBroker(lambda: NOON)
        self.producer = InMemoryProducer(self.broker)
        self.canary_sender = CanarySender(
            "calais",
            lambda: self.producer,
            None,
            last_returned=lambda: self.returned_at,
            every_seconds=60,
            due_seconds=due_seconds,
            clock=lambda: NOON,
        )

    def send(self, *, returns: bool = True) -> float:
        """Send a canary. Return the seconds until the next one."""
        self.canary_sender.send(self.producer)
        self.returned_at = NOON - timedelta(seconds=0 if returns else 60)
        return self.canary_sender.choose_next()

    def sent(self) -> list[tuple[str | None, bytes]]:
        """Return the key and the value of each canary sent."""
        return [(key, value) for key, value, *_ in self.broker.topics[topics.reads("calais")]]


def test_a_canary_is_matched_like_any_read_and_is_no_incident_on_the_board() -> None:
    sender = Sender()
    sender.send()
    ((_, value),) = sender.sent()
    alert = canary_alert(decode_read(value, "calais", NOON))
    feed = fed(alert)
    assert feed.board.incidents(NOON) == []
    assert feed.site_monitor.canaries["calais"].sent_at == NOON
    assert list(feed.site_monitor.rates.shown_seconds("calais")) == []


def test_each_canary_has_another_key_so_that_every_partition_is_tested() -> None:
    sender = Sender()
    assert [sender.send() for _ in range(3)] == [55, 55, 55]
    assert len({key for key, _ in sender.sent()}) == 3


def test_after_a_lost_canary_the_next_goes_at_once_with_the_same_key_until_one_returns() -> None:
    sender = Sender()
    assert [sender.send(returns=returns) for returns in (True, False, False, True, True)] == [55, 0, 0, 55, 55]
    keys = [key for key, _ in sender.sent()]
    assert keys[1] == keys[2] == keys[3], "a blocked partition is not skipped"
    assert len(set(keys)) == 3


def test_while_none_returns_a_canary_goes_each_time_the_last_is_overdue() -> None:
    sender = Sender(due_seconds=0.02)
    sender.canary_sender.start()
    assert wait_until(lambda: len(sender.sent()) >= 3, 60)
    sender.canary_sender.stop()


def test_neither_the_list_nor_the_plate_nor_the_camera_alone_hides_a_vehicle() -> None:
    real = a_read(plate=canary.PLATE, camera="lane-1")
    on_the_list = an_alert(a_read(plate="AB12CDE", camera=canary.CAMERA), an_entry(list=canary.LIST, plate="AB12CDE"))
    of_the_plate = an_alert(
        a_read(plate=canary.PLATE, camera=canary.CAMERA, read_id="b"),
        an_entry("e2", list="stolen", plate=canary.PLATE),
    )
    alerts = [on_the_list, of_the_plate, msgspec.structs.replace(canary_alert(real), raised_at=NOON)]
    assert len([a for i in fed(*alerts).board.incidents(NOON) for a in i.alerts]) == 3


def test_the_canarys_entry_is_renewed_long_before_it_ends() -> None:
    assert canary.must_be_listed(None, NOON)
    assert not canary.must_be_listed(ENTRY, NOON + timedelta(days=50))
    assert canary.must_be_listed(ENTRY, NOON + timedelta(days=70))


def test_a_canary_with_another_plate_is_listed_at_once() -> None:
    of_an_earlier_version = msgspec.structs.replace(ENTRY, plate="OLDCANARY")
    assert canary.must_be_listed(of_an_earlier_version, NOON)
