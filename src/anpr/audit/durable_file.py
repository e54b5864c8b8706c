"""A file to which bytes are only added. Each addition is on the disk when it returns, or nothing is left of it."""

import contextlib
import os
from pathlib import Path


class DurableFile:
    """A file that only its owner may read. Not for several threads at once. Each method may raise OSError."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`, or create it."""
        self.path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._bytes = os.fstat(self._handle).st_size
        self._is_torn = False

    def append(self, data: bytes) -> None:
        """Add bytes, and wait until the disk has them."""
        self.settle()
        self._is_torn = True
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._handle, rest) :]
            os.fsync(self._handle)
        except OSError:
            with contextlib.suppress(OSError):
                self.settle()
            raise
        self._is_torn = False
        self._bytes += len(data)

    def settle(self) -> None:
        """Take back what an addition that failed may have left."""
        if self._is_torn:
            self.cut_to(self._bytes)
            self._is_torn = False

    def cut_to(self, length_bytes: int) -> None:
        """Cut the end off, and wait until the disk has done so."""
        os.ftruncate(self._handle, length_bytes)
        os.fsync(self._handle)
        self._bytes = length_bytes

    def close(self) -> None:
        """Close the file."""
        os.close(self._handle)
