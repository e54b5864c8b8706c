"""Chance does not make a camera differ from its calibration, and another engine does."""

import csv
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from anpr.doctor.calibration_checks import LEAST_READS, LIMIT
from anpr.history.confidence_counts import largest_difference
from anpr.matching.scoring.confidence_calibration import BINS, bin_of
from tests.support.strategies import confidence_counts

_SEEDS = st.integers(0, 2**32 - 1)
_READS = st.integers(LEAST_READS, 20_000)


def drawn(engine: Sequence[int], reads: int, seed: int) -> list[int]:
    """Return the confidences of so many reads of an engine, of which `engine` says how often it gives each."""
    shares = np.asarray(engine) / sum(engine)
    return [int(count) for count in np.random.default_rng(seed).multinomial(reads, shares)]


def measured(file: str) -> list[int]:
    counts = [0] * BINS
    with Path(file).open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            counts[bin_of(float(row["confidence"] or 0))] += 1
    return counts


@given(confidence_counts(), st.integers(1_000, 20_000), _READS, _SEEDS)
def test_the_same_engine_does_not_differ_by_chance(
    engine: tuple[int, ...], learned_from: int, reads: int, seed: int
) -> None:
    difference = largest_difference(drawn(engine, learned_from, seed), drawn(engine, reads, seed + 1))
    assert difference.size <= LIMIT


@given(confidence_counts(), confidence_counts(), _READS, _SEEDS)
def test_an_engine_that_has_two_fifths_of_its_reads_elsewhere_differs(
    engine: tuple[int, ...], other: tuple[int, ...], reads: int, seed: int
) -> None:
    shares = [np.asarray([*accumulate(counts)]) / sum(counts) for counts in (engine, other)]
    assume(np.abs(shares[0] - shares[1]).max() > 0.4)
    difference = largest_difference(engine, drawn(other, reads, seed))
    assert difference.size > LIMIT
    assert difference.earlier == shares[0][bin_of(difference.confidence)]


@given(confidence_counts(), confidence_counts())
def test_it_is_the_same_from_either_side_and_none_of_a_count_with_itself(
    one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    assert largest_difference(one, other).size == largest_difference(other, one).size <= 1
    assert largest_difference(one, one).size == 0


@given(_READS, _SEEDS)
def test_the_two_measured_engines_differ_whichever_came_first(reads: int, seed: int) -> None:
    rapidocr, tesseract = (measured(f) for f in ("simulators/data/rapidocr.csv", "benchmarks/data/tesseract.csv"))
    assert largest_difference(rapidocr, drawn(tesseract, reads, seed)).size > LIMIT
    assert largest_difference(tesseract, drawn(rapidocr, reads, seed)).size > LIMIT
