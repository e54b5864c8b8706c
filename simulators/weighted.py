"""Draws from a weighted table that is prepared once: the traffic draws some ten times for each read."""

from bisect import bisect
from collections.abc import Iterable, Mapping
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """Values with weights. Each draw returns one of them."""

    __slots__ = ("_bounds", "_total", "_values")

    def __init__(self, weights: Mapping[T, float] | Iterable[tuple[T, float]]) -> None:
        """Prepare the table. Values of weight 0 are never drawn. Raises ValueError when no value is left."""
        pairs = weights.items() if isinstance(weights, Mapping) else weights
        kept = [(value, weight) for value, weight in pairs if weight > 0]
        if not kept:
            raise ValueError("a table of weights needs a value that can be drawn")
        self._values = [value for value, _ in kept]
        self._bounds = list(accumulate(weight for _, weight in kept))
        self._total = self._bounds[-1]

    def draw(self, rng: Random) -> T:
        """Return one of the values, with a probability in proportion to its weight."""
        # The search leaves out the last bound, so that rounding can never lead past the last value.
        return self._values[bisect(self._bounds, rng.random() * self._total, 0, len(self._values) - 1)]
