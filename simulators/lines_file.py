"""Files with one record a line."""

from datetime import datetime
from typing import BinaryIO

from simulators.traffic import Sighting


class LinesFile:
    """Writes lines, and flushes them before each wait, so that readers of the file see what was sent."""

    def __init__(self, file: BinaryIO) -> None:
        """Write to `file`, which the caller closes."""
        self._file = file

    def write(self, line: bytes) -> None:
        """Write one line."""
        self._file.write(line + b"\n")

    def send(self, _: Sighting, __: datetime, value: bytes) -> None:
        """Write one record."""
        self.write(value)

    def idle(self) -> None:
        """Flush the lines so far."""
        self._file.flush()
