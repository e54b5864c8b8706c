"""95 % confidence intervals of counted shares and rates. Pure."""

import math
from typing import Final

# 95 % of a normal distribution lie within this many standard deviations of the mean.
STANDARD_DEVIATIONS_95: Final = 1.96


def share_interval(count: int, total: int) -> tuple[float, float]:
    """Return the interval of a share (Wilson's): 0 to 1 when the total is 0."""
    if total == 0:
        return 0.0, 1.0
    share, square = count / total, STANDARD_DEVIATIONS_95**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    root = math.sqrt(share * (1 - share) / total + square / (4 * total**2))
    half_width = STANDARD_DEVIATIONS_95 / (1 + square / total) * root
    return max(0.0, middle - half_width), min(1.0, middle + half_width)


def count_interval(count: int) -> tuple[float, float]:
    """Return the interval of a count of independent events (Byar's approximation to Poisson's)."""
    low = count * (1 - 1 / (9 * count) - STANDARD_DEVIATIONS_95 / (3 * math.sqrt(count))) ** 3 if count else 0.0
    above = count + 1
    return low, above * (1 - 1 / (9 * above) + STANDARD_DEVIATIONS_95 / (3 * math.sqrt(above))) ** 3
