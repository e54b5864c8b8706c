"""The audit log: who looked up what, on disk before the answer is on the screen; and which sign-ins failed."""

import os
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.contracts.events import Alert
from anpr.runtime.errors import UnavailableError


class AuditEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: at what time who did what at which console, and with which incident and plate.

    `covert` lines are only for those with the right. Of a failed sign-in: `times` how often in these minutes it has
    failed for this name from this `address`, at least; `user` is "" for a name that is not known.
    """

    at: datetime
    site: str
    user: str
    role: str
    what: str
    incident_id: str = ""
    plate: str = ""
    covert: bool = False
    address: str = ""
    times: int = 0


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

    def write(self, *entries: AuditEntry) -> None:
        """Put lines on the disk itself. Raises UnavailableError: then the answer must not be given."""
        lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
        try:
            with self._lock:
                os.write(self._file, lines)
                os.fsync(self._file)
        except OSError as error:
            raise self._unavailable(error) from None

    def newest_first(self) -> Iterator[AuditEntry]:
        """Give all lines, the newest first."""
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError as error:
            raise self._unavailable(error) from None
        return (msgspec.json.decode(line, type=AuditEntry) for line in reversed(lines))

    def close(self) -> None:
        """Let the file go."""
        os.close(self._file)

    def _unavailable(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            "audit-log-unavailable",
            f"the audit log {self._path} cannot be used: {error.strerror or error}",
            "make room on the disk or mend its rights; nobody can look anything up before that",
        )


def known_as(
    incident: Incident, alerts: Sequence[Alert], open_board: Board, now: datetime
) -> list[tuple[bool, Incident]]:
    """Return what was looked up with these alerts of an incident, and whether it is covert.

    Of one that is covert in part there is also the incident that everybody knows: with nothing covert that line
    would be there as well, and without it who may see more could look up unseen.
    """
    if not incident.has_covert:
        return [(False, incident)]
    looked_up = [(True, incident)] if any(alert.is_covert for alert in alerts) else []
    alert = next((alert for alert in alerts if not alert.is_covert), None)
    in_the_open = open_board.incident_of(alert.alert_id, now) if alert is not None else None
    return looked_up if in_the_open is None else [(False, in_the_open), *looked_up]
