"""Reads lines from a stream as they come.

It has no thread, so no line has been read but not yet handed over when the gateway is asked to stop.
"""

import os
import select

from anpr.reads.json_lines import BYTE_ORDER_MARK

_CHUNK_BYTES = 65_536


class LineReader:
    """The lines of an open file, pipe or terminal, numbered from 1."""

    def __init__(self, descriptor: int, max_line_bytes: int) -> None:
        """Read from `descriptor`. Of a line longer than `max_line_bytes` only enough is kept to show that."""
        self.has_ended = False
        self._descriptor = descriptor
        self._max_line_bytes = max_line_bytes
        self._lines_read = 0
        self._partial_line = b""

    @property
    def partial_line(self) -> bytes:
        """The beginning of a line whose end has not come yet."""
        return self._partial_line

    def read_lines(self, wait_seconds: float) -> list[tuple[int, bytes]]:
        """Return the lines that have come, each with its number. Blank lines and byte order marks are left out.

        Waits up to `wait_seconds` for the first bytes. Raises OSError when the stream cannot be read.
        """
        if self.has_ended or not select.select([self._descriptor], [], [], wait_seconds)[0]:
            return []
        chunk = os.read(self._descriptor, _CHUNK_BYTES)
        *lines, partial = (self._partial_line + chunk).split(b"\n")
        self.has_ended = not chunk
        if self.has_ended and partial:
            lines, partial = [*lines, partial], b""
        self._partial_line = partial[: self._max_line_bytes + 1]
        numbered = [
            (number, content)
            for number, line in enumerate(lines, start=self._lines_read + 1)
            if (content := line.removeprefix(BYTE_ORDER_MARK)).strip()
        ]
        self._lines_read += len(lines)
        return numbered
