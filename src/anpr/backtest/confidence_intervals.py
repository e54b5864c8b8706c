"""How sure a counted share or rate is: 95 % intervals."""

import math
from typing import Final

# So many standard deviations on either side hold 95 % of a normal distribution.
SURE: Final = 1.96


def of_share(count: int, of: int) -> tuple[float, float]:
    """Return the interval of a share (Wilson's). Of nothing it is anything."""
    if of == 0:
        return 0.0, 1.0
    share, square = count / of, SURE**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = SURE / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def of_count(count: int) -> tuple[float, float]:
    """Return the interval of a count of events that happen by themselves (Byar's approximation to Poisson's)."""
    low = count * (1 - 1 / (9 * count) - SURE / (3 * math.sqrt(count))) ** 3 if count else 0.0
    more = count + 1
    return low, more * (1 - 1 / (9 * more) + SURE / (3 * math.sqrt(more))) ** 3
