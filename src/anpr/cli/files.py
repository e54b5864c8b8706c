"""Files named on the command line. A file that cannot be read is reported like any other error, with its code."""

from pathlib import Path
from typing import Any

import click

from anpr.runtime.errors import InputError


class ReadableFile(click.ParamType[Any]):
    """A click type for a file that must exist and be readable."""

    def __init__(self, wrapped: click.ParamType[Any]) -> None:
        """`wrapped` is a click.File, or a click.Path with `exists`: it converts the value."""
        self.name = wrapped.name
        self._wrapped = wrapped

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the file or its path. Raises InputError."""
        try:
            return self._wrapped.convert(value, param, ctx)
        except click.BadParameter as error:
            raise InputError(
                "file-unreadable", error.message, "name a file that exists and that you may read"
            ) from None


FILE_PATH = ReadableFile(click.Path(path_type=Path, dir_okay=False, exists=True))
OPEN_FILE = ReadableFile(click.File("rb"))
