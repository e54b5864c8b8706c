"""Confidences as cameras write them: a share from 0 to 1, a percentage, or either of them as a text. Pure."""

import math
import re
from collections.abc import Iterable
from typing import Final

_NUMBER: Final = re.compile(r"([0-9]{1,20}(?:[.,][0-9]{0,30})?(?:[eE][+-]?[0-9]{1,3})?)\s*(%?)")
_PERCENT: Final = 100
# A share that a camera's arithmetic carried a little above 1 is no percentage: one confidence must reach this.
_LEAST_PERCENTAGE: Final = 2


def is_in_percent(values: Iterable[object]) -> bool:
    """Return whether the confidences of a record are percentages: all from 1 to 100, and at least one from 2 on.

    A value that is no number says nothing, and neither does one with a percent sign.
    """
    numbers = [number for number, has_sign in map(_number, values) if number is not None and not has_sign]
    return all(1 <= number <= _PERCENT for number in numbers) and max(numbers, default=0) >= _LEAST_PERCENTAGE


def as_share(value: object, *, is_percent: bool) -> float | None:
    """Return a confidence as a share from 0 to 1; None when it is no confidence.

    `is_percent` holds for the whole record.
    """
    number, has_sign = _number(value)
    if number is None:
        return None
    share = number / _PERCENT if is_percent or has_sign else number
    return share if 0 <= share <= 1 else None


def _number(value: object) -> tuple[float | None, bool]:
    """Return the number that a value is or spells, None for no number, and whether a percent sign follows it."""
    if isinstance(value, str) and (spelt := _NUMBER.fullmatch(value.strip())):
        return float(spelt[1].replace(",", ".")), bool(spelt[2])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, False
    try:
        number = float(value)
    except OverflowError:
        return math.inf, False
    return number, False
