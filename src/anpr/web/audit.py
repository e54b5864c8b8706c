"""The audit log: who looked up what. A line is on disk before the answer is on the screen."""

import os
import threading
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from anpr.errors import UnavailableError


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: at what time who did what at which console, and with which incident and plate."""

    at: datetime
    site: str
    user: str
    role: str
    what: str
    incident_id: str = ""
    plate: str = ""


class AuditLog:
    """Lines at the end of a file that nothing here ever changes."""

    def __init__(self, path: Path) -> None:
        """Write to `path`, which only its owner may read. Raises UnavailableError when it cannot be written."""
        self._path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unavailable(error) from None

    def write(self, entry: Entry) -> None:
        """Put a line on the disk itself. Raises UnavailableError: then the answer must not be given."""
        line = msgspec.json.encode(entry) + b"\n"
        try:
            with self._lock:
                os.write(self._file, line)
                os.fsync(self._file)
        except OSError as error:
            raise self._unavailable(error) from None

    def newest(self, count: int) -> list[Entry]:
        """Return the newest lines, the newest first."""
        try:
            lines = self._path.read_bytes().splitlines()[-count:]
        except OSError as error:
            raise self._unavailable(error) from None
        return [msgspec.json.decode(line, type=Entry) for line in reversed(lines)]

    def close(self) -> None:
        """Let the file go."""
        os.close(self._file)

    def _unavailable(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            "audit-log-unavailable",
            f"the audit log {self._path} cannot be used: {error.strerror or error}",
            "make room on the disk or mend its rights; nobody can look anything up before that",
        )
