"""A board knows when it has read all that was there at its start, and does not forget it for what comes later."""

from collections.abc import Iterator
from contextlib import contextmanager

from anpr.board.topic_follower import TopicFollower
from anpr.kafka.in_memory import InMemoryBroker, InMemoryTail
from anpr.kafka.interfaces import Record
from anpr.local.processes import wait_until
from tests.support.strategies import NOON

ADDRESS, TOPIC = "memory", "topic"


class CountingTail(InMemoryTail):
    """Counts its polls that found nothing: what came before the last of these is in the follower's queue."""

    idle_polls = 0

    def poll(self, wait_seconds: float) -> list[Record]:
        """Return what is new."""
        records = super().poll(wait_seconds)
        self.idle_polls += not records
        return records


class Following:
    """A follower of one topic, which runs."""

    def __init__(self) -> None:
        self.broker = InMemoryBroker(lambda: NOON)
        self.tail = CountingTail(self.broker, [TOPIC])
        self.follower = TopicFollower(lambda _address, _names: self.tail, {ADDRESS: [TOPIC]})

    def put(self, count: int) -> None:
        """Put some records on the topic."""
        self.broker.topics[TOPIC] += [(None, b"", {}, NOON)] * count

    def wait_until_queued(self) -> None:
        """Wait until all that is on the topic waits for the board."""
        before = self.tail.idle_polls
        assert wait_until(lambda: self.tail.idle_polls >= before + 2, 10)

    def states(self) -> tuple[bool, bool, bool]:
        follower = self.follower
        return follower.caught_up(), follower.has_caught_up(ADDRESS), "report nothing" in follower.why_silent(ADDRESS)


@contextmanager
def following(records: int) -> Iterator[Following]:
    one = Following()
    one.put(records)
    one.follower.start()
    try:
        yield one
    finally:
        one.follower.stop()


def test_it_has_caught_up_when_the_board_has_taken_all_that_was_there() -> None:
    with following(records=3) as one:
        one.wait_until_queued()
        assert one.states() == (False, False, False), "nothing of it is on the board yet"
        assert len(list(one.follower.records(0))) == 3
        assert one.states() == (True, True, True)


def test_a_record_that_comes_later_and_waits_for_the_board_does_not_undo_that() -> None:
    with following(records=1) as one:
        assert wait_until(lambda: not [*one.follower.records(0.01)] and one.follower.caught_up(), 10)
        one.put(2)
        one.wait_until_queued()
        assert one.states() == (True, True, True), "or for one picture a board calls its own count unknown"
        assert len(list(one.follower.records(0))) == 2
