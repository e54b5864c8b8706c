"""Boards are told that arrivals are met until a moment once all reads of that moment have been looked through."""

from collections.abc import Mapping

from anpr.arrivals.watched_until import WatchedUntil
from anpr.history.sighting import Source
from anpr.kafka.topic_ends import PartitionEnds
from tests.support.strategies import minutes


def ends(*high: int, low: int = 0) -> Mapping[tuple[str, int], PartitionEnds]:
    return {("topic", number): PartitionEnds(low, offset) for number, offset in enumerate(high)}


def stored(*offsets: int) -> Mapping[Source, int]:
    return {Source("topic", number): offset for number, offset in enumerate(offsets)}


def test_a_moment_is_told_once_and_only_when_history_has_every_read_that_was_there_then() -> None:
    through = WatchedUntil()
    assert through.until(stored(9, 9)) is None
    through.note_ends(minutes(0), ends(5, 7))
    assert through.until(stored(5, 6)) is None, "one read is missing"
    through.note_ends(minutes(1), ends(6, 9))
    assert through.until(stored(5, 7)) == minutes(0)
    assert through.is_waiting
    assert through.until(stored(6, 9)) == minutes(1)
    assert not through.is_waiting
    assert through.until(stored(6, 9)) is None


def test_the_newest_of_several_moments_is_told() -> None:
    through = WatchedUntil()
    for minute, offset in enumerate((5, 6, 7)):
        through.note_ends(minutes(minute), ends(offset))
    assert through.until(stored(6)) == minutes(1)


def test_a_topic_without_reads_keeps_nobody_waiting_and_one_that_is_being_made_says_nothing() -> None:
    through = WatchedUntil()
    through.note_ends(minutes(0), {})
    assert not through.is_waiting
    through.note_ends(minutes(1), ends(12))
    assert through.until({}) is None, "its twelve reads can be stored"
    through.note_ends(minutes(2), ends(12, low=12))
    assert through.until({}) == minutes(2)


def test_a_topic_that_was_made_anew_meanwhile_does_not_stop_it() -> None:
    through = WatchedUntil()
    through.note_ends(minutes(0), {("topic before", 0): PartitionEnds(0, 9)})
    through.note_ends(minutes(1), ends(3))
    assert through.until(stored(3)) == minutes(1)


def test_a_history_that_lags_for_long_is_waited_for_without_bound_on_time_but_on_memory() -> None:
    through = WatchedUntil()
    for minute in range(500):
        through.note_ends(minutes(minute), ends(minute + 1))
    assert through.until(stored(450)) == minutes(449)
