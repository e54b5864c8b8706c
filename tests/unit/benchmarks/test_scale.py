"""Several matchers are compared by the time in which all of them match; larger sites by a model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.loops.group_member import Sample
from benchmarks.machines import LOADS, MACHINE, Load, Measured, first_limit, needs
from benchmarks.scale import common, counts

MEASURED = Measured(matcher_us=6, broker_us=3, bytes_a_read=350)


def steady(begin: float, end: float, a_second: int) -> list[Sample]:
    """Return a matcher that takes half of a core."""
    moments = [begin + step / 10 for step in range(round((end - begin) * 10) + 1)]
    return [Sample(at, (at - begin) / 2, round((at - begin) * a_second), 0) for at in moments]


def test_only_the_time_in_which_all_match_counts() -> None:
    alone_at_first, later = steady(0, 10, 1000), steady(5, 12, 3000)
    reads_per_second, cpu_us = common([alone_at_first, later])
    assert reads_per_second == pytest.approx(4000, rel=0.05)
    assert cpu_us == pytest.approx(250, rel=0.05)


def test_matchers_that_matched_one_after_the_other_are_not_compared() -> None:
    with pytest.raises(ValueError, match="at the same time"):
        common([steady(0, 1, 1000), steady(2, 3, 1000)])


@given(st.integers(1, 200))
def test_one_matcher_is_always_run_and_as_many_as_can_share(cores: int) -> None:
    numbers = counts(cores)
    assert numbers[0] == 1
    assert numbers[-1] == min(cores, MACHINE.partitions)
    assert numbers == sorted(set(numbers))


@given(st.floats(0.1, 1e5), st.integers(1, 10**9), st.floats(1, 20))
def test_more_traffic_needs_as_much_more_of_everything(per_second: float, a_day: int, times: float) -> None:
    one = needs(Load("one", a_day, per_second), MEASURED)
    more = needs(Load("more", round(a_day * times), per_second * times), MEASURED)
    for name, need in one.items():
        assert more[name].share == pytest.approx(need.share * times, rel=0.51 / a_day + 1e-6)
    assert one[first_limit(one)].share == max(need.share for need in one.values())


def test_a_cheaper_matcher_changes_only_what_matchers_need() -> None:
    cheap, dear = (needs(LOADS[1], MEASURED._replace(matcher_us=us)) for us in (1, 2))
    assert {name for name in cheap if cheap[name] != dear[name]} == {"matchers"}


@given(st.floats(1e-6, 1e9), st.integers(1, 10**12))
def test_needs_are_written_without_an_exponent(per_second: float, a_day: int) -> None:
    for need in needs(Load("any", a_day, per_second), MEASURED).values():
        number = need.words.removeprefix("under ").split(" ", 1)[0]
        assert not set(number) - set("0123456789.,"), need.words
