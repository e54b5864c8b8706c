"""A clock that was set forward by mistake ends nothing: it is believed when it has kept its time for an hour."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from anpr.runtime.cautious_clock import BELIEVED_AFTER, CautiousClock
from tests.support.strategies import NOON

HOUR = timedelta(hours=1)
YEARS = timedelta(days=3650)
MINUTE = timedelta(minutes=1)


class Machine:
    """A machine whose clock can be set."""

    def __init__(self) -> None:
        self.seconds = 5.0
        self.wrong_by = timedelta()
        self.clock = CautiousClock(self.said, lambda: self.seconds)

    def true(self) -> timedelta:
        return timedelta(seconds=self.seconds - 5.0)

    def said(self) -> datetime:
        return NOON + self.true() + self.wrong_by

    def go_on(self, by: timedelta) -> None:
        self.seconds += by.total_seconds()


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_clock_that_nobody_sets_is_followed(machine: Machine) -> None:
    for _ in range(5):
        machine.go_on(30 * HOUR)
        machine.wrong_by += timedelta(seconds=20)  # it drifts
        assert machine.clock() == machine.said()


def test_a_clock_that_is_ahead_for_less_than_an_hour_ends_nothing(machine: Machine) -> None:
    machine.wrong_by = YEARS
    for _ in range(59):
        machine.go_on(MINUTE)
        assert machine.clock() == NOON + machine.true()
    machine.wrong_by = timedelta()
    machine.go_on(MINUTE)
    assert machine.clock() == NOON + machine.true()


def test_one_that_has_kept_its_new_time_for_an_hour_is_believed(machine: Machine) -> None:
    machine.wrong_by = YEARS
    machine.clock()
    machine.go_on(BELIEVED_AFTER)
    assert machine.clock() == machine.said()
    machine.go_on(MINUTE)
    assert machine.clock() == machine.said()


def test_a_clock_that_is_set_again_and_again_is_not_believed(machine: Machine) -> None:
    for jump in range(1, 20):
        machine.wrong_by = YEARS + jump * HOUR
        machine.go_on(timedelta(minutes=40))
        assert machine.clock() == NOON + machine.true()


def test_a_clock_that_is_set_back_is_followed_at_once_and_what_it_makes_up_is_doubted_again(machine: Machine) -> None:
    machine.wrong_by = -HOUR
    assert machine.clock() == machine.said()
    machine.wrong_by = timedelta()
    assert machine.clock() == machine.said() - HOUR
    machine.go_on(BELIEVED_AFTER)
    assert machine.clock() == machine.said()


def test_the_log_says_once_that_nothing_ends_for_now_and_when_it_does_again(machine: Machine) -> None:
    with capture_logs() as logs:
        machine.wrong_by = YEARS
        for _ in range(70):
            machine.clock()
            machine.go_on(MINUTE)
    assert [line["event"] for line in logs] == [
        "the clock was set forward: nothing expires by it for now",
        "the clock has kept its new time: things expire by it again",
    ]


@given(st.lists(st.tuples(st.integers(1, 7000), st.integers(-10_000, 10_000)), max_size=60))
def test_however_it_is_set_it_goes_on_by_the_stopwatch_or_shows_no_more_than_the_clock(
    steps: list[tuple[int, int]],
) -> None:
    machine = Machine()
    before, at = machine.clock(), machine.true()
    for seconds, minutes in steps:
        machine.go_on(timedelta(seconds=seconds))
        machine.wrong_by = minutes * MINUTE
        now = machine.clock()
        assert now <= machine.said() or now <= before + (machine.true() - at)
        before, at = now, machine.true()
