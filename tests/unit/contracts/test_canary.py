"""The canary goes the whole way, and is no vehicle anywhere."""

from datetime import datetime, timedelta

import msgspec

from anpr.board.board_feed import BoardFeed
from anpr.board.canary_sender import CanarySender
from anpr.contracts import canary, topics
from anpr.contracts.events import Alert, Read, encode
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
    (alert,) = raise_alerts([read], Index.build([ENTRY], generation(1)), NOON, timedelta(minutes=1))
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
    """A sender to a broker in memory, at noon. `back` is when the last one was sent that has come back."""

    def __init__(self, due_seconds: float = 5) -> None:
        self.back: datetime | None = None
        self.broker = InMemoryBroker(lambda: NOON)
        self.producer = InMemoryProducer(self.broker)
        self.it = CanarySender(
            "calais",
            lambda: self.producer,
            None,
            last_returned=lambda: self.back,
            every_seconds=60,
            due_seconds=due_seconds,
            clock=lambda: NOON,
        )

    def send(self, *, comes_back: bool = True) -> float:
        """Send one; return after how many seconds the next goes."""
        self.it.send(self.producer)
        self.back = NOON - timedelta(seconds=0 if comes_back else 60)
        return self.it.next_in_seconds()

    def sent(self) -> list[tuple[str | None, bytes]]:
        """Return key and value of each."""
        return [(key, value) for key, value, *_ in self.broker.topics[topics.reads("calais")]]


def test_it_is_matched_like_any_read_and_seen_on_the_screens_as_no_incident() -> None:
    sender = Sender()
    sender.send()
    ((_, value),) = sender.sent()
    alert = canary_alert(decode_read(value, "calais", NOON))
    feed = fed(alert)
    assert feed.board.incidents(NOON) == []
    assert feed.site_monitor.canaries["calais"].sent_at == NOON
    assert list(feed.site_monitor.rates.shown_seconds("calais")) == []


def test_each_goes_under_another_key_so_that_every_partition_has_its_turn() -> None:
    sender = Sender()
    assert [sender.send() for _ in range(3)] == [55, 55, 55]
    assert len({key for key, _ in sender.sent()}) == 3


def test_one_that_is_not_back_is_followed_at_once_the_same_way_until_one_is() -> None:
    sender = Sender()
    assert [sender.send(comes_back=back) for back in (True, False, False, True, True)] == [55, 0, 0, 55, 55]
    keys = [key for key, _ in sender.sent()]
    assert keys[1] == keys[2] == keys[3], "a way that is blocked is not passed over"
    assert len(set(keys)) == 3


def test_while_none_comes_back_they_go_as_often_as_one_is_due() -> None:
    sender = Sender(due_seconds=0.02)
    sender.it.start()
    assert wait_until(lambda: len(sender.sent()) >= 3, 10)
    sender.it.stop()


def test_neither_the_list_nor_the_plate_nor_the_camera_alone_hides_a_vehicle() -> None:
    real = a_read(plate=canary.PLATE, camera="lane-1")
    on_the_list = an_alert(a_read(plate="AB12CDE", camera=canary.CAMERA), an_entry(list=canary.LIST, plate="AB12CDE"))
    of_the_plate = an_alert(
        a_read(plate=canary.PLATE, camera=canary.CAMERA, read_id="b"),
        an_entry("e2", list="stolen", plate=canary.PLATE),
    )
    alerts = [on_the_list, of_the_plate, msgspec.structs.replace(canary_alert(real), raised_at=NOON)]
    assert len([a for i in fed(*alerts).board.incidents(NOON) for a in i.alerts]) == 3


def test_its_entry_is_renewed_long_before_it_ends() -> None:
    assert canary.must_be_listed(None, NOON)
    assert not canary.must_be_listed(ENTRY, NOON + timedelta(days=50))
    assert canary.must_be_listed(ENTRY, NOON + timedelta(days=70))
