"""The interval around a median."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.ratios import interval

VALUES = st.lists(st.floats(0.01, 1000), min_size=1, max_size=20)


@given(VALUES)
def test_it_holds_the_median_and_stays_within_the_values(values: list[float]) -> None:
    found = interval(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)


@given(VALUES)
def test_the_same_values_give_the_same_interval(values: list[float]) -> None:
    assert interval(values) == interval(values)


def test_values_that_scatter_more_give_a_wider_interval() -> None:
    narrow, wide = interval([9, 10, 10, 10, 11]), interval([1, 5, 10, 15, 19])
    assert narrow.median == wide.median == pytest.approx(10)
    assert wide.high - wide.low > narrow.high - narrow.low
