"""A back-check tells the boards how far it is: seldom, and at once when it has caught up with the lists."""

from anpr.back_check.back_check_status import BackCheckStatusPublisher
from anpr.back_check.search import Progress
from anpr.contracts import topics
from anpr.contracts.events import BACK_CHECK_GONE_AFTER, BackCheckStatus, decode_status_record
from anpr.kafka.delivery_errors import RejectedError, UndeliveredError
from anpr.kafka.in_memory import InMemoryBroker, InMemoryProducer
from anpr.kafka.interfaces import DeliveryCallback
from tests.support.back_check import AlertsInMemory, SightingsInMemory, back_check_of
from tests.support.strategies import NOON, generation, minutes

TOPIC = topics.status("calais")


class Told:
    """A back-check whose publisher is called at moments that a test chooses, and what it has published."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.broker = InMemoryBroker(lambda: NOON)
        self.refusals: list[RejectedError] = []
        self.back_check = back_check_of(SightingsInMemory(), AlertsInMemory())
        self.back_check.progress = Progress(checked=generation(7))
        self._publisher = BackCheckStatusPublisher(
            "calais", InMemoryProducer(self.broker), self.refusals.append, lambda: self.seconds
        )

    def after(self, seconds: float) -> list[BackCheckStatus]:
        """Let so many seconds pass, and return what is told then."""
        self.seconds += seconds
        before = len(self.broker.topics[TOPIC])
        self._publisher.publish_when_due(self.back_check)
        told = [decode_status_record(value) for _, value, _, _ in self.broker.topics[TOPIC][before:]]
        assert all(isinstance(status, BackCheckStatus) for status in told)
        return [status for status in told if isinstance(status, BackCheckStatus)]


def test_it_tells_at_the_start_and_often_enough_that_a_restart_alarms_nobody() -> None:
    it = Told()
    up_to_date = BackCheckStatus(site="calais", at=NOON, looked_up_to=generation(7))
    assert it.after(0) == [up_to_date]
    assert it.after(19) == []
    assert it.after(1) == [up_to_date]
    assert BACK_CHECK_GONE_AFTER.total_seconds() >= 3 * 20


def test_it_tells_at_once_when_it_has_caught_up_but_never_twice_in_a_second() -> None:
    it = Told()
    done = it.back_check.progress
    searching = done.with_new(generation(8), NOON, minutes(-3))
    it.back_check.progress = searching
    [status] = it.after(0)
    assert (status.looked_up_to, status.behind_since) == (generation(7), minutes(-3))
    it.back_check.progress = done
    assert it.after(0.9) == []
    [status] = it.after(0.1)
    assert status.behind_since is None
    it.back_check.progress = searching
    assert it.after(5) == [], "that a search begins can wait"


def test_a_search_from_the_file_of_an_earlier_version_goes_on_since_now() -> None:
    it = Told()
    it.back_check.progress = it.back_check.progress.with_new(generation(8), NOON)
    assert [status.behind_since for status in it.after(0)] == [NOON]


def test_a_broker_that_refuses_its_status_stops_no_search_and_is_named() -> None:
    it = Told()

    class Refusing(InMemoryProducer):
        def flush(self, wait_seconds: float) -> int:  # noqa: ARG002  nothing to wait for
            for record in self._pending:
                callback: DeliveryCallback | None = record.on_delivery
                assert callback is not None
                callback(UndeliveredError("not allowed"))
            return 0

    publisher = BackCheckStatusPublisher("calais", Refusing(it.broker), it.refusals.append)
    publisher.publish_when_due(it.back_check)
    assert [str(error) for error in it.refusals] == ["not allowed"]
