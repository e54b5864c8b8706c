"""The middle of some ratios, and how sure it is."""

from collections.abc import Sequence
from random import Random
from statistics import median
from typing import Final, NamedTuple

_RESAMPLES: Final = 2000
_SEED: Final = 1


class Interval(NamedTuple):
    """A median and its 95 % interval."""

    median: float
    low: float
    high: float


def interval(values: Sequence[float]) -> Interval:
    """Return the median of one value or more, with the percentile bootstrap's interval (Efron and Tibshirani, 1993).

    It asks for no distribution, and the same values always give the same interval.
    """
    draw = Random(_SEED)
    medians = sorted(median(draw.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    return Interval(median(values), medians[round(0.025 * _RESAMPLES)], medians[round(0.975 * _RESAMPLES) - 1])
