"""A camera's doubts are worth what their rarity says, whatever numbers the camera gives them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.matching.scoring.likelihood import CONFIDENCE
from benchmarks.quality.doubts import BINS, confidence_table, counts_of

_COUNTS = st.dictionaries(st.integers(0, BINS - 1), st.integers(100, 10_000), min_size=1, max_size=12)


def _table(counts: dict[int, int]) -> list[float]:
    made = np.zeros(BINS, np.int64)
    made[list(counts)] = list(counts.values())
    return list(confidence_table(made)["log_ratio"])


@given(_COUNTS)
def test_a_lower_confidence_never_speaks_less_for_a_misread(counts: dict[int, int]) -> None:
    ratios = _table(counts)
    assert all(lower >= higher - 1e-6 for lower, higher in pairwise(ratios))
    assert max(ratios) <= max(CONFIDENCE["log_ratio"])
    assert min(ratios) >= min(CONFIDENCE["log_ratio"])


@given(st.integers(0, BINS - 1), st.integers(1_000, 10_000))
def test_a_confidence_that_all_reads_have_says_nothing(confidence: int, reads: int) -> None:
    assert _table({confidence: reads})[confidence] == pytest.approx(0, abs=0.01)


@given(_COUNTS, st.data())
def test_only_the_order_of_the_confidences_counts_not_their_numbers(
    counts: dict[int, int], data: st.DataObject
) -> None:
    others = st.sets(st.integers(0, BINS - 1), min_size=len(counts), max_size=len(counts))
    moved = dict(zip(sorted(counts), sorted(data.draw(others)), strict=True))
    before, after = _table(counts), _table({moved[confidence]: count for confidence, count in counts.items()})
    total = sum(counts.values())
    for confidence, count in counts.items():
        if count >= total / 100:
            assert after[moved[confidence]] == pytest.approx(before[confidence], abs=0.2)


@given(st.integers(10, 90), st.integers(91, 100))
def test_a_doubt_that_is_seldom_says_more_than_one_that_is_common(unsure: int, sure: int) -> None:
    seldom, common = (_table({unsure: share, sure: 1_000 - share})[unsure] for share in (20, 500))
    assert seldom > 1.5
    assert 0 < common < 0.8


def test_reads_are_counted_by_hundredths_and_those_without_a_confidence_nowhere() -> None:
    counts = counts_of(np.array([0.0, 0.004, 0.5, 1.0, np.nan], np.float32))
    assert (counts[0], counts[50], counts[100], counts.sum()) == (2, 1, 1, 4)
