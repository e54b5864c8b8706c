"""The audit log on disk: who looked up which incident, and which sign-ins failed."""

import os
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from anpr.board.board import Board
from anpr.board.incident import Incident
from anpr.contracts.events import Alert
from anpr.runtime.errors import UnavailableError


class AuditEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: when, who, at which console, what they did, and with which incident and plate.

    Attributes:
        user: Who did it; "" for an unknown name that failed to sign in.
        covert: Whether only people with the covert permission may read the line.
        address: Where a failed sign-in came from.
        times: How many times or more a sign-in with this name has failed from this address in these minutes; 0 for a
            look-up.
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
    """A file to which lines are only added. Nothing here changes or removes one."""

    def __init__(self, path: Path) -> None:
        """Add lines to `path`, which only its owner may read. Raises UnavailableError when it cannot be written."""
        self._path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._unavailable(error) from None

    def write(self, *entries: AuditEntry) -> None:
        """Add lines, and wait until the disk has them. Raises UnavailableError: then nothing may be answered."""
        lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
        try:
            with self._lock:
                os.write(self._file, lines)
                os.fsync(self._file)
        except OSError as error:
            raise self._unavailable(error) from None

    def newest_first(self) -> Iterator[AuditEntry]:
        """Return all lines, the newest first. Raises UnavailableError when they cannot be read."""
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError as error:
            raise self._unavailable(error) from None
        return (msgspec.json.decode(line, type=AuditEntry) for line in reversed(lines))

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _unavailable(self, error: OSError) -> UnavailableError:
        return UnavailableError(
            "audit-log-unavailable",
            f"the audit log {self._path} cannot be used: {error.strerror or error}",
            "free space on the disk or correct the file's permissions. Until then nobody can look anything up",
        )


class AuditedIncident(NamedTuple):
    """An incident that was looked up, and whether the line that says so is covert."""

    incident: Incident
    is_covert: bool


def audited_incidents(
    incident: Incident, alerts: Sequence[Alert], open_board: Board, now: datetime
) -> list[AuditedIncident]:
    """Return the incidents that the audit log must name for a look-up of these alerts.

    A partly covert incident also has the line of the incident that everybody knows. Without that line, people with
    the covert permission could look up open incidents and leave no trace that every auditor can see.
    """
    if not incident.has_covert:
        return [AuditedIncident(incident, is_covert=False)]
    covert_lines = [AuditedIncident(incident, is_covert=True)] if any(alert.is_covert for alert in alerts) else []
    open_alert = next((alert for alert in alerts if not alert.is_covert), None)
    open_incident = open_board.incident_of(open_alert.alert_id, now) if open_alert is not None else None
    return covert_lines if open_incident is None else [AuditedIncident(open_incident, is_covert=False), *covert_lines]
