"""A duration on the command line: 20s, 5m, 2h, 1d."""

import re
from typing import Any

import click

_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType[Any]):
    """Converts to seconds."""

    name = "duration"

    def __init__(self, *, needs_unit: bool = False) -> None:
        """Without `needs_unit`, a number alone is in seconds."""
        self._needs_unit = needs_unit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds. Fails with a message that names the value and shows examples."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(value))
        if match is None or (self._needs_unit and not match[2]):
            self.fail(f"{value!r} is no duration; write it as 20s, 5m, 2h or 1d", param, ctx)
        return float(match[1]) * _UNIT_SECONDS[match[2]]
