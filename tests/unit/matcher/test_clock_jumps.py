"""The clock of a matcher's machine may jump both ways: it goes on reporting each second, and notices the jump."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from anpr.contracts import topics
from anpr.contracts.events import Status, decode_status
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.in_memory import InMemoryBroker
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.matching.index import Index
from tests.support.matchers import in_memory_matcher
from tests.support.strategies import NOON, a_read, an_entry, generation

HOUR = timedelta(hours=1)
INDEX = ActiveIndex(Index.build([an_entry()], generation(1)), applied_at=NOON, confirmed_at=NOON)


class Machine:
    def __init__(self) -> None:
        self.seconds, self.offset = 0.0, timedelta()
        self.broker = InMemoryBroker(lambda: NOON + timedelta(seconds=self.seconds))
        self.metrics = MatcherMetrics("calais", ["camera-1"], NOON)
        self.matcher = in_memory_matcher(
            self.broker,
            "calais",
            lambda: INDEX,
            lambda: NOON + timedelta(seconds=self.seconds) + self.offset,
            self.metrics,
            stopwatch=lambda: self.seconds,
        )

    def runs(self, seconds: int) -> list[Status]:
        topic = self.broker.topics[topics.status("calais")]
        before = len(topic)
        for _ in range(seconds):
            self.seconds += 1
            self.matcher.run_once()
        return [decode_status(value) for _, value, _, _ in topic[before:]]


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_it_reports_each_second_whatever_its_clock_says_and_logs_the_jump_once(jump: timedelta) -> None:
    machine = Machine()
    assert len(machine.runs(5)) == 5
    machine.offset = jump
    with capture_logs() as lines:
        assert len(machine.runs(5)) == 5
        machine.offset = timedelta()
        assert len(machine.runs(5)) == 5
    assert [line["by_seconds"] for line in lines] == [jump.total_seconds(), -jump.total_seconds()]


def test_the_last_read_of_a_camera_is_known_again_after_the_clocks_of_the_site_were_ahead() -> None:
    metrics = Machine().metrics
    for at in (NOON, NOON + HOUR, NOON + timedelta(seconds=1)):
        metrics.record_reads([a_read(camera="camera-1", captured_at=at, received_at=at)])
    assert metrics.cameras == {"camera-1": NOON + timedelta(seconds=1)}
    late = a_read(camera="camera-1", captured_at=NOON, received_at=NOON + timedelta(seconds=2))
    metrics.record_reads([late])
    assert metrics.cameras == {"camera-1": NOON + timedelta(seconds=1)}, "a late read is not the last one"
