"""What the options of benchmarks accept: enough to be measured, and a number that is one."""

import math
from typing import Any, Final

import click

COUNT: Final = click.IntRange(min=1)
NONE_OR_MORE: Final = click.IntRange(min=0)


class Amount(click.FloatRange):
    """A number above 0; neither `nan` nor `inf`, which are numbers to Python and no amount of anything."""

    def __init__(self, least: float = 0.0) -> None:
        """Take the least that it may be, above 0 if that is 0."""
        super().__init__(min=least, min_open=least == 0)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number. Raises click.BadParameter."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no amount", param, ctx)
        return number


AMOUNT: Final = Amount()
