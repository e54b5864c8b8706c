"""The values that the options of benchmarks accept: at least enough to measure something, and no `nan` or `inf`."""

import math
from typing import Any, Final

import click

COUNT: Final = click.IntRange(min=1)
NONE_OR_MORE: Final = click.IntRange(min=0)


class Amount(click.FloatRange):
    """A finite number above 0, or from a least value on. `nan` and `inf`, numbers to Python, are refused."""

    def __init__(self, least: float = 0.0) -> None:
        """`least` is the smallest value; 0 means above 0."""
        super().__init__(min=least, min_open=least == 0)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number. Raises click.BadParameter."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no amount", param, ctx)
        return number


AMOUNT: Final = Amount()
