from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from anpr.contracts import topics
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import (
    MOST_UNKNOWN_CAMERAS,
    Alert,
    Correction,
    Loss,
    Status,
    UnknownCamera,
    decode_alert_record,
    decode_loss,
    decode_status,
)
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.delivery_errors import TOO_LARGE, UndeliveredError
from anpr.kafka.in_memory import InMemoryBroker, InMemoryConsumer, InMemoryProducer
from anpr.kafka.interfaces import DeliveryCallback, Record
from anpr.kafka.record_batch import RecordBatch
from anpr.kafka.rejections import Rejections
from anpr.matcher.matcher import Matcher
from anpr.matcher.matcher_metrics import MAX_CAMERAS, MatcherMetrics
from anpr.matching.index import Index
from anpr.runtime.metrics import REGISTRY
from tests.support.matchers import GROUP, in_memory_matcher
from tests.support.strategies import NOON, a_read, an_entry, generation, minutes

SITE = "calais"
ENTRIES = [an_entry("stolen"), an_entry("wanted"), an_entry("covert", handling="covert")]
INDEX = ActiveIndex(Index.build(ENTRIES, generation(7)), applied_at=NOON, confirmed_at=NOON)


@dataclass
class Clock:
    """A clock that advances by `step` each time it is read."""

    now: datetime = NOON
    step: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@dataclass
class Port:
    """The topics of a site, and its matchers."""

    clock: Clock = field(default_factory=Clock)
    active_index: ActiveIndex | None = INDEX
    is_stopping: bool = False
    rejections: Rejections = field(default_factory=lambda: Rejections("the broker", stopwatch=lambda: 0.0))

    def __post_init__(self) -> None:
        self.broker = InMemoryBroker(lambda: NOON)

    def receives(self, *records: bytes) -> None:
        producer = InMemoryProducer(self.broker)
        for record in records:
            producer.produce(topics.reads(SITE), "camera-1", record)
        producer.flush(0)

    def matcher(
        self,
        producer: InMemoryProducer | None = None,
        consumer: InMemoryConsumer | None = None,
        batch_reads: int = 500,
    ) -> Matcher:
        return in_memory_matcher(
            self.broker,
            SITE,
            lambda: self.active_index,
            self.clock,
            MatcherMetrics(SITE, ["camera-1"], self.clock()),
            producer=producer,
            consumer=consumer,
            batch_reads=batch_reads,
            is_stopping=lambda: self.is_stopping,
            on_healthy=self.rejections.clear,
        )

    def committed(self) -> int:
        return self.broker.committed[GROUP, topics.reads(SITE)]

    def values(self, topic: str) -> list[bytes]:
        return [value for _, value, _, _ in self.broker.topics[topic]]

    def alert_records(self) -> list[Alert | Correction]:
        both = (topics.alerts(SITE), topics.covert_alerts(SITE))
        return [decode_alert_record(value) for topic in both for value in self.values(topic)]

    def alert_ids(self) -> list[str]:
        return [record.alert_id for record in self.alert_records() if isinstance(record, Alert)]

    def statuses(self) -> list[Status]:
        return [decode_status(value) for value in self.values(topics.status(SITE))]


def a_record(read_id: str = "read-1", **fields: Any) -> bytes:
    return msgspec.json.encode(a_read(read_id, **({"camera": "camera-1"} | fields)))


def id_of(read_id: str, entry_id: str, **fields: Any) -> str:
    return alert_id(a_read(read_id, camera="camera-1", **fields).identity, entry_id)


def ids_of(*read_ids: str) -> set[str]:
    return {id_of(read_id, entry.entry_id) for read_id in read_ids for entry in ENTRIES}


def a_correction(read_id: str, supersedes: str) -> Correction:
    return Correction(site=SITE, read_id=read_id, supersedes=supersedes, camera="camera-1", captured_at=NOON)


@pytest.fixture
def port() -> Port:
    return Port()


# --- what is published on which topic ---


def test_a_listed_plate_raises_an_alert_for_each_entry_and_no_other_plate_does(port: Port) -> None:
    port.receives(a_record("listed"), a_record("other", plate="XY99ZZZ"))
    port.matcher().run_once()
    assert sorted(port.alert_ids()) == sorted(ids_of("listed"))
    assert port.committed() == 2


def test_covert_alerts_are_only_on_their_own_topic(port: Port) -> None:
    port.receives(a_record())
    port.matcher().run_once()
    handlings = {
        topic: [msgspec.json.decode(value)["entry"]["handling"] for value in port.values(topic)]
        for topic in (topics.alerts(SITE), topics.covert_alerts(SITE))
    }
    assert handlings == {topics.alerts(SITE): ["open", "open"], topics.covert_alerts(SITE): ["covert"]}


def test_alerts_are_keyed_by_the_listed_plate(port: Port) -> None:
    port.receives(a_record(plate="ab i2 cde"))
    port.matcher().run_once()
    assert {key for key, *_ in port.broker.topics[topics.alerts(SITE)]} == {"AB12CDE"}


def test_a_correction_is_published_even_for_a_plate_that_is_not_listed(port: Port) -> None:
    port.receives(a_record("read-2", plate="XY99ZZZ", supersedes="read-1"))
    port.matcher().run_once()
    assert port.alert_records() == [a_correction("read-2", "read-1")]


def test_a_record_that_cannot_be_matched_becomes_a_dead_letter_with_its_reason_and_position(port: Port) -> None:
    port.receives(a_record(), b"not json", a_record(site="dover"))
    port.matcher().run_once()
    dead = port.broker.topics[topics.deadletters(SITE)]
    assert [(value, headers["reason"]) for _, value, headers, _ in dead] == [
        (b"not json", b"not JSON"),
        (a_record(site="dover"), b"wrong site"),
    ]
    _, _, headers, _ = dead[0]
    assert (headers["topic"], headers["partition"], headers["offset"]) == (topics.reads(SITE).encode(), b"0", b"1")
    assert headers["detail"]
    assert set(port.alert_ids()) == ids_of("read-1")
    assert port.committed() == 3


def test_a_batch_has_no_more_reads_than_the_setting_allows(port: Port) -> None:
    port.receives(*(a_record(f"read-{number}") for number in range(5)))
    matcher = port.matcher(batch_reads=2)
    committed = []
    for _ in range(4):
        matcher.run_once()
        committed.append(port.committed())
    assert committed == [2, 4, 5, 5]


def test_without_a_list_nothing_is_polled_and_the_reads_wait_for_one(port: Port) -> None:
    port.receives(a_record())
    port.active_index = None
    matcher = port.matcher()
    matcher.run_once()
    assert port.committed() == 0

    port.active_index = INDEX
    matcher.run_once()
    assert port.committed() == 1
    assert set(port.alert_ids()) == ids_of("read-1")


# --- nothing is lost and nothing counts twice ---


def test_the_same_read_twice_has_the_same_alert_ids(port: Port) -> None:
    port.receives(a_record())
    matcher = port.matcher()
    matcher.run_once()
    port.clock.now += timedelta(seconds=30)
    port.receives(a_record())
    matcher.run_once()
    assert len(port.alert_ids()) == 2 * len(ENTRIES)
    assert set(port.alert_ids()) == ids_of("read-1")


def test_reads_whose_alerts_the_broker_rejects_are_not_committed_and_later_bring_the_same_ids(port: Port) -> None:
    port.receives(a_record("read-1"), a_record("read-2"))
    port.broker.is_refusing = True
    with pytest.raises(UndeliveredError):
        port.matcher().run_once()
    assert port.committed() == 0
    assert not port.alert_records()

    port.broker.is_refusing = False
    port.matcher().run_once()
    assert port.committed() == 2
    assert sorted(port.alert_ids()) == sorted(ids_of("read-1", "read-2"))


def test_an_alert_that_is_too_large_delays_no_other_and_its_read_becomes_a_dead_letter(port: Port) -> None:
    port.active_index = ActiveIndex(
        Index.build([ENTRIES[0], an_entry("long", reason="x" * 2000)], generation(7)), NOON, NOON
    )
    port.broker.max_bytes = 2000
    port.receives(a_record("read-1"), a_record("other", plate="XY99ZZZ"), a_record("read-2"))
    port.matcher().run_once()
    assert sorted(port.alert_ids()) == sorted(id_of(read, "stolen") for read in ("read-1", "read-2"))
    dead = port.broker.topics[topics.deadletters(SITE)]
    assert [(value, headers["reason"]) for _, value, headers, _ in dead] == [
        (a_record("read-1"), b"alert too large"),
        (a_record("read-2"), b"alert too large"),
    ]
    assert port.committed() == 3

    port.broker.max_bytes = None
    port.receives(*(value for _, value, _, _ in dead))
    port.matcher().run_once()
    wanted = {id_of(read, entry) for read in ("read-1", "read-2") for entry in ("stolen", "long")}
    assert set(port.alert_ids()) == wanted, "replayed, they raise the alerts that they would have raised"


def test_an_alert_that_is_too_large_dead_letters_its_own_read_and_no_other_of_the_same_read_id(port: Port) -> None:
    port.active_index = ActiveIndex(
        Index.build([ENTRIES[0], an_entry("long", plate="XY99ZZZ", reason="x" * 2000)], generation(7)), NOON, NOON
    )
    port.broker.max_bytes = 2000
    too_large = a_record("1", plate="XY99ZZZ")
    port.receives(
        a_record("1"),
        too_large,
        too_large.replace(b"XY99ZZZ", b"AB12CDE").replace(b"camera-1", b"camera-2"),
        a_record("1", captured_at=minutes(-1)),
    )
    port.matcher().run_once()
    assert port.values(topics.deadletters(SITE)) == [too_large]


def test_a_covert_alert_that_is_too_large_waits_and_is_in_no_dead_letter(port: Port) -> None:
    port.active_index = ActiveIndex(
        Index.build([an_entry("covert", handling="covert", reason="x" * 2000)], generation(7)), NOON, NOON
    )
    port.broker.max_bytes = 2000
    port.receives(a_record())
    with pytest.raises(UndeliveredError) as error:
        port.matcher().run_once()
    assert error.value.code == TOO_LARGE
    assert port.committed() == 0
    assert not port.values(topics.deadletters(SITE))


def test_a_rejection_is_noticed_without_traffic_too(port: Port) -> None:
    port.broker.is_refusing = True
    with pytest.raises(UndeliveredError):
        port.matcher().run_once()


def test_a_rejection_ends_once_all_waiting_reads_are_processed_and_not_before(port: Port) -> None:
    port.clock.step = timedelta(seconds=1)
    port.receives(a_record("read-1"), a_record("read-2"))
    port.broker.is_refusing = True
    with pytest.raises(UndeliveredError) as refused:
        port.matcher().run_once()
    port.rejections.note(refused.value)
    port.broker.is_refusing = False
    again = port.matcher(batch_reads=1)
    again.run_once()
    assert port.rejections.current is not None, "a read still waits"
    again.run_once()
    again.run_once()
    assert port.rejections.current is None, "it did not end by time: the stopwatch of this test stands still"


def test_nothing_is_committed_before_the_broker_has_acknowledged_everything(port: Port) -> None:
    waits = iter([3, 1])
    committed_meanwhile = []

    class Slow(InMemoryProducer):
        def flush(self, wait_seconds: float) -> int:
            if wait_seconds:  # 0 only asks what is still unacknowledged
                committed_meanwhile.append(port.committed())
            return next(waits, 0) or super().flush(wait_seconds)

    port.receives(a_record())
    port.matcher(Slow(port.broker)).run_once()
    assert committed_meanwhile == [0, 0, 0]
    assert port.committed() == 1


def test_a_broker_that_hangs_and_answers_again_is_logged_once_each_with_and_without_traffic(
    port: Port,
) -> None:
    port.clock.step = timedelta(seconds=1)
    matcher = port.matcher()
    port.broker.is_away = True
    with capture_logs() as quiet:
        for _ in range(20):
            matcher.run_once()
    assert [line["code"] for line in quiet] == ["kafka-unavailable"]

    back_at = port.clock.now + timedelta(seconds=30)

    class Waits(InMemoryProducer):
        def flush(self, wait_seconds: float) -> int:
            port.broker.is_away = port.clock.now < back_at
            return super().flush(wait_seconds)

    port.broker.is_away = False
    port.receives(a_record())
    matcher = port.matcher(Waits(port.broker))
    with capture_logs() as busy:
        for _ in range(3):
            matcher.run_once()
    assert [line["log_level"] for line in busy] == ["warning", "info"]
    assert port.committed() == 1


def test_asked_to_stop_while_the_broker_is_away_it_gives_up_and_leaves_the_reads(port: Port) -> None:
    class Away(InMemoryProducer):
        def flush(self, wait_seconds: float) -> int:
            port.is_stopping = True
            return 1 if wait_seconds else 0

    port.clock.step = timedelta(seconds=1)
    port.receives(a_record())
    with pytest.raises(UndeliveredError, match="was stopped before the broker acknowledged 1 records"):
        port.matcher(Away(port.broker)).run()
    assert port.committed() == 0
    assert timedelta(seconds=5) < port.clock.now - NOON < timedelta(seconds=15)


def test_asked_to_stop_it_finishes_its_batch(port: Port) -> None:
    class Last(InMemoryConsumer):
        def poll(self, max_records: int, wait_seconds: float) -> RecordBatch:
            port.is_stopping = True
            return super().poll(max_records, wait_seconds)

    port.receives(*(a_record(f"read-{number}") for number in range(5)))
    port.matcher(consumer=Last(port.broker, topics.reads(SITE), GROUP), batch_reads=2).run()
    assert port.committed() == 2
    assert set(port.alert_ids()) == ids_of("read-0", "read-1")
    assert [status.has_left for status in port.statuses()] == [False, True], (
        "and its last status says that it has left"
    )


class KilledError(Exception):
    """The matcher's process was killed."""


class Fuse:
    """Kills the process after a number of steps. Each call of the broker is a step before and after."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def burn(self) -> None:
        if self.steps == 0:
            raise KilledError
        self.steps -= 1


class FusedConsumer(InMemoryConsumer):
    def __init__(self, port: Port, fuse: Fuse) -> None:
        super().__init__(port.broker, topics.reads(SITE), GROUP)
        self._fuse = fuse

    def poll(self, max_records: int, wait_seconds: float) -> RecordBatch:
        self._fuse.burn()
        records = super().poll(max_records, wait_seconds)
        self._fuse.burn()
        return records

    def commit(self, records: Sequence[Record]) -> None:
        self._fuse.burn()
        super().commit(records)
        self._fuse.burn()


class FusedProducer(InMemoryProducer):
    def __init__(self, port: Port, fuse: Fuse) -> None:
        super().__init__(port.broker)
        self._fuse = fuse

    def produce(
        self,
        topic: str,
        key: str | None,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> None:
        def answer(error: UndeliveredError | None) -> None:
            self._fuse.burn()
            if on_delivery is not None:
                on_delivery(error)

        self._fuse.burn()
        super().produce(topic, key, value, headers, answer)

    def flush(self, wait_seconds: float) -> int:
        self._fuse.burn()
        waiting = super().flush(wait_seconds)
        self._fuse.burn()
        return waiting


READS = [a_record("read-0"), a_record("read-1"), b"not json", a_record("read-2", supersedes="read-1")]


def killed_after(steps: int) -> Port | None:
    """Return a port whose matcher was killed after this many steps; None when it had processed all reads by then."""
    port = Port()
    port.receives(*READS)
    fuse = Fuse(steps)
    matcher = port.matcher(FusedProducer(port, fuse), FusedConsumer(port, fuse), batch_reads=2)
    try:
        matcher.run_once()
        matcher.run_once()
    except KilledError:
        return port
    return None


def test_killed_at_any_point_the_next_matcher_publishes_the_same_alerts() -> None:
    expected = ids_of("read-0", "read-1", "read-2")
    for steps in count():
        port = killed_after(steps)
        if port is None:
            break
        committed = [f"read-{number}" for number in range(port.committed()) if number < 2]
        assert set(port.alert_ids()) >= ids_of(*committed), f"committed before published, at step {steps}"

        port.matcher().run_once()
        assert port.committed() == len(READS)
        assert set(port.alert_ids()) == expected, f"killed at step {steps}"
        assert a_correction("read-2", "read-1") in port.alert_records()
        assert set(port.values(topics.deadletters(SITE))) == {b"not json"}
    assert steps > 30, "the fuse has reached every call"


# --- the status ---


def test_the_status_is_published_at_most_once_a_second(port: Port) -> None:
    producer = InMemoryProducer(port.broker)
    matcher = port.matcher(producer)
    for seconds in (0, 0.4, 0.999, 1, 1.5, 3.7, 4.6, 4.7, 4.8):
        port.clock.now = NOON + timedelta(seconds=seconds)
        matcher.run_once()
    producer.flush(0)
    assert [(status.at - NOON).total_seconds() for status in port.statuses()] == [0, 1, 3.7, 4.7]


def test_the_status_counts_the_work_without_covert_alerts(port: Port) -> None:
    producer = InMemoryProducer(port.broker)
    dropping = b'{"read_id": "read-2", "site": "calais", "plate": "XY9", "confidence": 700}'
    port.receives(a_record(), dropping, b"not json", a_record("waits"))
    port.matcher(producer, batch_reads=3).run_once()
    producer.flush(0)
    assert port.statuses() == [
        Status(
            site=SITE,
            matcher="one",
            at=NOON,
            started_at=NOON,
            generation=generation(7),
            entries=3,
            list_applied_at=NOON,
            list_confirmed_at=NOON,
            reads=2,
            alerts=2,
            dead_letters=1,
            dropped_fields=1,
            sampled_reads=2,
            partitions=1,
            lag=1,
            cameras={"camera-1": NOON},
            clock_offset_seconds={"camera-1": 0.0},
            unknown_cameras={"": UnknownCamera(reads=1, last_read_at=NOON)},
        )
    ]


def test_the_status_names_the_cameras_that_use_read_ids_again(port: Port) -> None:
    producer = InMemoryProducer(port.broker)
    port.receives(a_record("1"), a_record("1"), a_record("1", captured_at=minutes(-300)), a_record("2"))
    port.matcher(producer).run_once()
    producer.flush(0)
    assert [status.reused_read_ids for status in port.statuses()] == [{"camera-1": 1}]
    assert len(set(port.alert_ids())) == 3 * len(ENTRIES), "each capture has its own alerts"


def test_reads_of_a_camera_without_a_configuration_are_matched_and_named(port: Port) -> None:
    producer = InMemoryProducer(port.broker)
    port.receives(*(a_record(f"read-{number}", camera=name) for number, name in enumerate(["Camera-1", "camera-1"])))
    port.matcher(producer).run_once()
    producer.flush(0)
    alerts = [record for record in port.alert_records() if isinstance(record, Alert)]
    assert {alert.read.camera for alert in alerts} == {"Camera-1", "camera-1"}
    assert port.statuses()[0].unknown_cameras == {"Camera-1": UnknownCamera(reads=1, last_read_at=NOON)}


def test_however_many_names_a_gateway_invents_the_status_stays_short_and_knows_every_camera(port: Port) -> None:
    producer = InMemoryProducer(port.broker)
    names = [f"invented-{number}" for number in range(3 * MAX_CAMERAS)]
    port.receives(*(a_record(f"read-{number}", camera=name) for number, name in enumerate(names)))
    port.receives(*(a_record(f"again-{number}", camera="misspelt") for number in range(2)), a_record("last"))
    port.matcher(producer, batch_reads=5 * MAX_CAMERAS).run_once()
    producer.flush(0)
    [status] = port.statuses()
    assert "camera-1" in status.cameras
    assert len(status.cameras) <= MAX_CAMERAS + 1
    assert len(status.unknown_cameras) == MOST_UNKNOWN_CAMERAS
    assert next(iter(status.unknown_cameras)) == "misspelt"


def test_without_a_list_the_status_has_no_generation(port: Port) -> None:
    port.active_index = None
    port.receives(a_record())
    producer = InMemoryProducer(port.broker)
    port.matcher(producer).run_once()
    producer.flush(0)
    [status] = port.statuses()
    assert (status.generation, status.entries, status.list_confirmed_at, status.lag) == (None, 0, None, 1)


def test_a_cameras_last_capture_is_the_newest_one_and_never_from_a_wrong_clock(port: Port) -> None:
    producer = InMemoryProducer(port.broker)
    captured = [NOON, NOON - timedelta(seconds=9), NOON + timedelta(days=1)]
    port.receives(*(a_record(f"read-{n}", captured_at=at) for n, at in enumerate(captured)))
    port.matcher(producer).run_once()
    producer.flush(0)
    assert port.statuses()[0].cameras == {"camera-1": NOON}


# --- reads that the broker deleted ---


def losses(port: Port) -> list[Loss]:
    """Return the losses on the dead-letter topic."""
    letters = port.broker.topics[topics.deadletters(SITE)]
    return [decode_loss(value) for _, value, headers, _ in letters if headers["reason"] == b"gone"]


def test_reads_that_the_broker_deleted_before_they_were_matched_become_one_dead_letter(port: Port) -> None:
    port.receives(*(a_record(f"r{number}") for number in range(6)))
    port.broker.log_start[topics.reads(SITE)] = 3
    matcher = port.matcher()
    labels = {"site": SITE, "partition": "0"}
    before = REGISTRY.get_sample_value("anpr_lost_reads_total", labels) or 0
    with capture_logs() as logs:
        matcher.run_once()
    (loss,) = losses(port)
    assert REGISTRY.get_sample_value("anpr_lost_reads_total", labels) == before + 3
    assert (loss.partition, loss.first_offset, loss.last_offset, loss.reads) == (0, 0, 2, 3)
    assert loss.found_at == port.clock.now
    (headers,) = [headers for _, _, headers, _ in port.broker.topics[topics.deadletters(SITE)]]
    assert (headers["partition"], headers["offset"], headers["last_offset"]) == (b"0", b"0", b"2")
    (line,) = [line for line in logs if line.get("code") == "reads-lost"]
    assert (line["log_level"], line["reads"], line["partition"], line["last_offset"]) == ("error", 3, 0, 2)
    assert port.committed() == 6
    port.matcher().run_once()
    assert len(losses(port)) == 1


def test_a_loss_is_on_its_topic_before_anything_behind_it_is_committed(port: Port) -> None:
    port.receives(*(a_record(f"r{number}") for number in range(6)))
    port.broker.log_start[topics.reads(SITE)] = 3
    port.broker.is_refusing = True
    with pytest.raises(UndeliveredError):
        port.matcher().run_once()
    assert (port.committed(), losses(port)) == (0, [])
    port.broker.is_refusing = False
    port.matcher().run_once()
    assert (port.committed(), len(losses(port))) == (6, 1)


class DyingConsumer(InMemoryConsumer):
    """A consumer whose matcher is killed after it has reported the gaps."""

    def pass_gaps(self) -> None:
        raise KeyboardInterrupt


def test_a_matcher_that_is_killed_after_its_report_finds_the_same_loss_again(port: Port) -> None:
    port.receives(*(a_record(f"r{number}") for number in range(3)))
    port.broker.log_start[topics.reads(SITE)] = 3
    with pytest.raises(KeyboardInterrupt):
        port.matcher(consumer=DyingConsumer(port.broker, topics.reads(SITE), GROUP)).run_once()
    port.matcher().run_once()
    first, again = losses(port)
    assert first == again
    assert port.committed() == 3


def test_a_topic_that_is_shorter_than_what_was_read_is_a_loss_of_unknown_size(port: Port) -> None:
    port.receives(*(a_record(f"r{number}") for number in range(6)))
    port.matcher().run_once()
    del port.broker.topics[topics.reads(SITE)][2:]
    port.matcher().run_once()
    (loss,) = losses(port)
    assert (loss.first_offset, loss.last_offset, loss.reads) == (6, None, None)
    assert port.committed() == 2
