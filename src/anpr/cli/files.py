"""Files named on the command line: one that cannot be read is told as any other error is, with its code."""

from pathlib import Path
from typing import Any

import click

from anpr.runtime.errors import InputError


class Readable(click.ParamType[Any]):
    """Takes what another type of click's takes, once it is there and may be read."""

    def __init__(self, taken: click.ParamType[Any]) -> None:
        """`taken` is a click.File, or a click.Path to something that exists."""
        self.name = taken.name
        self._taken = taken

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the file or its path. Raises InputError."""
        try:
            return self._taken.convert(value, param, ctx)
        except click.BadParameter as error:
            raise InputError(
                "file-unreadable", error.message, "name a file that is there and that you may read"
            ) from None


EXISTING = Readable(click.Path(path_type=Path, dir_okay=False, exists=True))
OPENED = Readable(click.File("rb"))
