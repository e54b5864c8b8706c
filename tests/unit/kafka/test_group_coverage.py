"""A partition that nobody reads is noticed, and one that another member reads is not."""

import struct
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaException

from anpr.kafka.group_coverage import GroupCoverage, partitions_in
from anpr.local.processes import wait_until


class Group:
    """What the members of a group read, as a broker answers it."""

    def __init__(self, *read: int) -> None:
        self.read: set[int] | None = set(read)
        self.asked = 0
        self.is_away = False

    def __call__(self) -> set[int] | None:
        self.asked += 1
        if self.is_away:
            raise KafkaException
        return self.read


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.fixture
def ask(group: Group) -> Callable[[int, set[int]], bool]:
    """Return how to ask once: two seconds later, until the answer has come."""
    seconds = 0.0
    coverage = GroupCoverage("reads", group, lambda: seconds)

    def ask(partitions: int, own: set[int]) -> bool:
        nonlocal seconds
        seconds += 2
        before, found = group.asked, []

        def is_answered() -> bool:
            found.append(coverage.is_missing_one(partitions, own))
            return coverage._asked is None

        assert wait_until(is_answered, 60)
        assert group.asked - before <= 1
        return any(found)

    return ask


def test_who_reads_everything_asks_nobody(group: Group, ask: Callable[[int, set[int]], bool]) -> None:
    assert not any(ask(3, {0, 1, 2}) for _ in range(5))
    assert group.asked == 0


def test_a_partition_that_another_member_reads_is_not_missing(
    group: Group, ask: Callable[[int, set[int]], bool]
) -> None:
    group.read = {0, 1, 2}
    assert not any(ask(3, {0}) for _ in range(5))
    assert group.asked == 5


def test_a_partition_that_nobody_reads_is_noticed_at_the_second_answer(
    group: Group, ask: Callable[[int, set[int]], bool]
) -> None:
    group.read = {0, 1}
    assert [ask(3, {0}) for _ in range(4)] == [False, True, False, True]


def test_while_the_members_divide_their_partitions_and_while_the_broker_is_away_nothing_is_missing(
    group: Group, ask: Callable[[int, set[int]], bool]
) -> None:
    group.read = {0}
    assert not ask(3, {0})
    group.read = None
    assert not ask(3, {0})
    group.read, group.is_away = {0}, True
    assert not any(ask(3, {0}) for _ in range(3))
    group.is_away = False
    assert [ask(3, {0}) for _ in range(2)] == [False, True]


def test_the_assignment_of_a_member_is_read_by_topic() -> None:
    def of(topic: bytes, *partitions: int) -> bytes:
        return struct.pack(f">h{len(topic)}si{len(partitions)}i", len(topic), topic, len(partitions), *partitions)

    written = struct.pack(">hi", 0, 2) + of(b"other", 7) + of(b"reads", 0, 3) + struct.pack(">i", 0)
    assert partitions_in(written, "reads") == [0, 3]
    assert partitions_in(written, "other") == [7]
    assert partitions_in(b"", "reads") == []
