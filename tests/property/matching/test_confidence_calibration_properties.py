"""A confidence of a calibrated camera counts by its rarity, whatever number the camera gives it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.matching.encoding.text_codes import columns_of_texts
from anpr.matching.scoring.confidence_calibration import (
    BINS,
    MOST_READS,
    NO_CALIBRATIONS,
    Calibrations,
    bin_of,
    calibration_note,
    counts_as,
    log_ratios,
)
from anpr.matching.scoring.likelihood import CONFIDENCE
from tests.support import reference_matcher
from tests.support.strategies import confidence_counts

_COUNTS = st.dictionaries(st.integers(0, BINS - 1), st.integers(100, 10_000), min_size=1, max_size=12)


def of_camera(counts: dict[int, int]) -> tuple[int, ...]:
    return tuple(counts.get(hundredth, 0) for hundredth in range(BINS))


def ratios(counts: dict[int, int]) -> list[float]:
    [of_one] = log_ratios([of_camera(counts)])
    return [float(ratio) for ratio in of_one]


@given(_COUNTS)
def test_a_lower_confidence_never_speaks_less_for_a_misread(counts: dict[int, int]) -> None:
    found = ratios(counts)
    assert all(lower >= higher for lower, higher in pairwise(found))
    assert max(found) <= max(CONFIDENCE["log_ratio"])
    assert min(found) >= min(CONFIDENCE["log_ratio"])


@given(confidence_counts(), st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_lower_confidence_never_counts_as_a_higher_one(counts: tuple[int, ...], confidences: list[float]) -> None:
    counted = [counts_as(counts, confidence) for confidence in sorted(confidences)]
    assert counted == sorted(counted)
    scale = CONFIDENCE["confidence"]
    assert all(min(scale) <= one <= max(scale) + 1e-6 for one in counted)


@given(st.integers(0, BINS - 1), st.integers(0, BINS - 1))
def test_as_many_reads_as_there_may_be_still_say_something_of_each_confidence(most: int, seldom: int) -> None:
    found = ratios({seldom: 1} | {most: MOST_READS - 1})
    assert all(np.isfinite(found))
    assert max(CONFIDENCE["log_ratio"]) >= max(found) >= min(found) >= min(CONFIDENCE["log_ratio"])


@given(st.integers(0, BINS - 1), st.integers(1_000, 10_000))
def test_a_confidence_that_all_reads_have_says_nothing(confidence: int, reads: int) -> None:
    assert ratios({confidence: reads})[confidence] == pytest.approx(0, abs=0.01)


@given(_COUNTS, st.data())
def test_only_the_order_of_the_confidences_counts_not_their_numbers(
    counts: dict[int, int], data: st.DataObject
) -> None:
    others = st.sets(st.integers(0, BINS - 1), min_size=len(counts), max_size=len(counts))
    moved = dict(zip(sorted(counts), sorted(data.draw(others)), strict=True))
    before, after = ratios(counts), ratios({moved[confidence]: count for confidence, count in counts.items()})
    total = sum(counts.values())
    for confidence, count in counts.items():
        if count >= total / 100:
            assert after[moved[confidence]] == pytest.approx(before[confidence], abs=0.2)


@given(st.integers(10, 90), st.integers(91, 100))
def test_a_doubt_that_is_seldom_says_more_than_one_that_is_common(unsure: int, sure: int) -> None:
    seldom, common = (ratios({unsure: share, sure: 1_000 - share})[unsure] for share in (20, 500))
    assert seldom > 1.5
    assert 0 < common < 0.8


@given(confidence_counts(), st.floats(0, 1))
def test_it_counts_as_a_person_would_count_it(counts: tuple[int, ...], confidence: float) -> None:
    assert counts_as(counts, confidence) == pytest.approx(reference_matcher.counts_as(counts, confidence), abs=2e-4)


@pytest.mark.parametrize(("confidence", "hundredth"), [(0.0, 0), (0.004, 0), (0.5, 50), (0.996, 100), (1.0, 100)])
def test_reads_are_counted_by_hundredths(confidence: float, hundredth: int) -> None:
    assert bin_of(confidence) == hundredth


def test_only_a_confidence_that_is_given_by_a_calibrated_camera_is_calibrated() -> None:
    calibrations = Calibrations.of({("calais", "one"): of_camera({60: 900, 95: 100})})
    texts = columns_of_texts(["AB1", "AB2", "AB3"], [None] * 3, [0.6, None, 0.6])
    rows = calibrations.rows_of([("calais", "one"), ("calais", "one"), ("dover", "one")])
    applied = calibrations.apply(texts, rows)
    assert applied.calibrated.tolist() == pytest.approx([0.9304, np.nan, 0.6], abs=0.01, nan_ok=True)
    assert applied.confidences is texts.confidences
    assert texts.calibrated is texts.confidences, "what was given stays as it was"
    assert not NO_CALIBRATIONS
    assert calibrations


@pytest.mark.parametrize(
    ("said", "counted", "note"),
    [
        (0.62, 0.93, "the camera says 0.62, which counts as 0.93 for this camera"),
        (0.931, 0.934, ""),
        (0.99, 0.97, ""),
        (0.31, 0.80, ""),
        (0.31, 0.31, ""),
        (1.0, 1.0, ""),
        (np.nan, np.nan, ""),
    ],
)
def test_a_note_says_what_changed_for_the_score(said: float, counted: float, note: str) -> None:
    assert calibration_note(said, counted) == note
