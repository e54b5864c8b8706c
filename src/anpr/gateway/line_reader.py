"""Lines from a stream as they come, without a thread: a stop finds nothing taken that is not handed over yet."""

import os
import select

_CHUNK_BYTES = 65_536


class LineReader:
    """The lines of an open file, pipe or terminal, numbered from 1."""

    def __init__(self, descriptor: int, max_line_bytes: int) -> None:
        """Read from `descriptor`. Of a line longer than `max_line_bytes` only its first bytes, one more, are kept."""
        self.ended = False
        self._descriptor = descriptor
        self._max_line_bytes = max_line_bytes
        self._number = 0
        self._begun = b""

    @property
    def begun(self) -> bytes:
        """What has come of a line that has not ended yet."""
        return self._begun

    def take(self, wait_seconds: float) -> list[tuple[int, bytes]]:
        """Return the lines that are there, waiting for the first bytes up to `wait_seconds`. Raises OSError."""
        if self.ended or not select.select([self._descriptor], [], [], wait_seconds)[0]:
            return []
        chunk = os.read(self._descriptor, _CHUNK_BYTES)
        *whole, rest = (self._begun + chunk).split(b"\n")
        self.ended = not chunk
        if self.ended and rest:
            whole, rest = [*whole, rest], b""
        self._begun = rest[: self._max_line_bytes + 1]
        numbered = [(number, line) for number, line in enumerate(whole, start=self._number + 1) if line.strip()]
        self._number += len(whole)
        return numbered
