"""What a back-check publishes, and for whom."""

from typing import Any

import pytest

from anpr.back_check.alert_publisher import AlertPublisher
from anpr.back_check.back_check import MatchedWith
from anpr.back_check.search import Progress
from anpr.contracts import topics
from anpr.contracts.events import NO_GENERATION, Alert, Entry, decode_alert_record
from anpr.kafka.delivery_errors import TOO_LARGE, UndeliveredError
from anpr.kafka.in_memory import InMemoryBroker, InMemoryProducer
from anpr.kafka.interfaces import DeliveryCallback
from anpr.kafka.topic_ends import PartitionEnds
from anpr.matching.index import Index
from tests.support.back_check import AlertsInMemory, SightingsInMemory, active, back_check_of
from tests.support.strategies import NOON, a_read, an_alert, an_entry, generation, minutes


class Site:
    """A site with one sighting of the listed vehicle, and the lists that are applied one after the other."""

    def __init__(self) -> None:
        self.sightings, self.alerts = SightingsInMemory(), AlertsInMemory()
        self.sightings.store(a_read())
        self.check = back_check_of(self.sightings, self.alerts)
        self.generation = 0

    def list(self, *entries: Entry) -> list[Alert]:
        """Apply a list and return the alerts that it raises."""
        self.generation += 1
        index = Index.build(entries, generation(self.generation))
        before = len(self.alerts.published)
        self.check.note_list(active(index))
        while self.check.run_once(index, None):
            pass
        return self.alerts.published[before:]


def an_entry_of(number: int, **fields: Any) -> Entry:
    return an_entry(revision=generation(number), **fields)


def test_a_change_of_the_text_raises_nothing_and_a_change_to_covert_is_told_to_those_who_may_know() -> None:
    site = Site()
    [alert] = site.list(an_entry_of(1))
    assert (alert.kind, alert.raised_at, alert.is_covert) == ("retrospective", NOON, False)
    assert site.list(an_entry_of(2, reason="armed")) == []
    [covert] = site.list(an_entry_of(3, handling="covert"))
    assert (covert.alert_id, covert.is_covert) == (alert.alert_id, True)


def test_its_status_says_how_many_records_are_left_and_since_when_until_it_has_caught_up() -> None:
    site, now = Site(), [NOON]
    site.check = back_check_of(site.sightings, site.alerts, clock=lambda: now[0])
    index = Index.build([an_entry_of(1, plate="AB1*")], generation(1))
    site.check.note_list(active(index))
    now[0] = minutes(1)
    began = site.check.status("calais")
    assert (began.looked_up_to, began.behind_since) == (NO_GENERATION, NOON)
    site.check.run_once(index, None)
    assert site.check.status("calais").records_left == 1
    while site.check.run_once(index, None):
        pass
    waits = site.check.status("calais")
    assert (waits.records_left, waits.behind_since) == (0, NOON), "a matcher may still have the older list"
    site.check.run_once(index, MatchedWith(generation(1), {("topic-1", 0): PartitionEnds(0, 1)}))
    done = site.check.status("calais")
    assert (done.looked_up_to, done.records_left, done.behind_since) == (generation(1), 0, None)


def test_an_entry_that_is_widened_finds_more() -> None:
    site = Site()
    assert site.list(an_entry_of(1, directions=("fr_bound",), sites=("dunkerque",))) == []
    assert len(site.list(an_entry_of(2))) == 1


def test_an_entry_that_left_the_list_again_raises_nothing() -> None:
    site = Site()
    site.check.note_list(active(Index.build([an_entry_of(1)], generation(1))))
    assert site.check.progress.searches
    site.generation = 1
    assert site.list() == []


def test_what_passed_longer_ago_than_the_window_does_not_count() -> None:
    site = Site()
    site.sightings.store(a_read("long ago"), arrived_at=minutes(-73 * 60))
    site.sightings.store(a_read("of late", plate="AB12CD"), arrived_at=minutes(-71 * 60))
    assert [alert.read.read_id for alert in site.list(an_entry_of(1))] == ["read-1"]
    assert [alert.read.read_id for alert in site.list(an_entry_of(2, plate="AB12C?"))] == ["of late"]


def test_a_search_says_how_much_is_left_to_go_through() -> None:
    site = Site()
    for number in range(2500):
        site.sightings.store(a_read(str(number), plate="XX1"), number % 2)
    index = Index.build([an_entry_of(1, plate="AB12C??")], generation(1))
    site.check.note_list(active(index))
    left = []
    while site.check.run_once(index, None):
        left.append(site.check.waiting())
    assert left == [2501, 1501, 501, 0]


def test_it_says_whether_it_asked_by_keys_or_went_on_by_a_piece() -> None:
    site = Site()
    by_keys = Index.build([an_entry_of(1)], generation(1))
    site.check.note_list(active(by_keys))
    assert site.check.run_once(by_keys, None) == "question"
    assert site.check.run_once(by_keys, None) is None
    site.sightings.store(a_read("later"))
    pattern = Index.build([an_entry_of(1), an_entry_of(2, plate="AB12C??")], generation(2))
    site.check.note_list(active(pattern))
    assert site.check.run_once(pattern, None) == "question", "one of the two searches asked, the other went on"
    assert site.check.run_once(pattern, None) == "piece"


def test_however_many_searches_wait_it_asks_once_a_pass_how_far_history_is() -> None:
    site = Site()
    for number in range(1, 6):
        site.list(an_entry_of(number))
    assert len(site.check.progress.searches) == 5
    before = site.sightings.asked_how_far
    index = Index.build([an_entry_of(5)], generation(5))
    assert not site.check.run_once(index, None)
    assert site.check.waiting() == 0
    assert site.sightings.asked_how_far == before + 1


def test_searches_end_although_reads_and_lists_keep_coming() -> None:
    site = Site()
    for number in range(1, 11):
        index = Index.build([an_entry_of(number)], generation(number))
        site.check.note_list(active(index))
        # A read on each partition, of which history has not stored the last when the ends are asked for.
        stored = site.sightings.stored.items()
        ends = {(source.topic_id, source.partition): PartitionEnds(0, len(rows) + 1) for source, rows in stored}
        site.check.run_once(index, MatchedWith(generation(number), ends))
        for partition in (0, 1):
            site.sightings.store(a_read(f"{number}-{partition}", plate="XX1"), partition)
    assert len(site.check.progress.searches) < 5


def test_a_search_ends_where_the_broker_has_lost_the_last_reads() -> None:
    site = Site()
    site.list(an_entry_of(1))
    index = Index.build([an_entry_of(1)], generation(1))
    for high in (5, 1):
        site.check.run_once(index, MatchedWith(generation(1), {("topic-1", 0): PartitionEnds(0, high)}))
    assert not site.check.progress.searches


def test_a_machine_whose_index_is_older_than_that_of_its_last_run_waits_for_the_newer_one() -> None:
    site = Site()
    site.check = back_check_of(site.sightings, site.alerts, Progress().with_new(generation(2), NOON))
    older = Index.build([], generation(1))
    site.check.note_list(active(older))
    ends = {("topic-1", 0): PartitionEnds(0, 1)}
    assert not site.check.run_once(older, MatchedWith(generation(2), ends))
    assert site.check.progress.searches
    site.generation = 1
    assert len(site.list(an_entry_of(2))) == 1


class Refusing(InMemoryProducer):
    """A producer whose broker refuses covert alerts."""

    def __init__(self, broker: InMemoryBroker, code: str) -> None:
        super().__init__(broker)
        self._code = code

    def produce(
        self,
        topic: str,
        key: str | None,
        value: bytes,
        headers: Any = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> None:
        if "covert" not in topic:
            super().produce(topic, key, value, headers, on_delivery)
        elif on_delivery is not None:
            on_delivery(UndeliveredError("refused", self._code))


def published(broker: InMemoryBroker) -> list[str]:
    records = [decode_alert_record(record.value or b"") for record in broker.records(topics.alerts("calais"), 0)]
    return [record.entry.entry_id for record in records if isinstance(record, Alert)]


def test_an_alert_that_is_too_large_does_not_hold_up_the_others() -> None:
    broker = InMemoryBroker(lambda: NOON)
    alerts = [an_alert(a_read(), an_entry(name, handling=name)) for name in ("covert", "open")]
    AlertPublisher(Refusing(broker, TOO_LARGE), lambda: None)(alerts)
    assert published(broker) == ["open"]
    with pytest.raises(UndeliveredError):
        AlertPublisher(Refusing(broker, "kafka-not-authorised"), lambda: None)(alerts)
