"""Writes every look-up to the audit log before it is answered, and reads the log for auditors."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from anpr.board.incident import Incident
from anpr.console.auth.audit_log import AuditEntry, AuditLog, audited_incidents
from anpr.console.auth.authentication import SignedIn
from anpr.console.auth.failed_sign_ins import WITHIN
from anpr.console.board.board_thread import BoardThread
from anpr.contracts.events import Alert
from anpr.contracts.look_up import LookUp
from anpr.runtime.clock import Clock

MAX_LINES_SHOWN = 200
FAILED_SINCE = timedelta(days=7)


class AuditTrail:
    """The look-ups at one console."""

    def __init__(self, site: str, audit_log: AuditLog, board_thread: BoardThread, clock: Clock) -> None:
        """Write to `audit_log` for the console of `site`."""
        self._site = site
        self._audit_log = audit_log
        self._board_thread = board_thread
        self._clock = clock

    async def record(
        self, who: SignedIn, what: str, incident: Incident | None = None, alerts: Sequence[Alert] | None = None
    ) -> None:
        """Write a look-up before it is answered. Raises UnavailableError: then it must not be answered.

        `alerts` are the alerts of the incident that were looked at; without them, all.
        """
        entry = AuditEntry(at=self._clock(), site=self._site, user=who.user.name, role=who.user.role, what=what)
        lines = [entry]
        if incident is not None:
            audited = await self._board_thread.run(
                lambda feed: audited_incidents(incident, alerts or incident.alerts, feed.board, self._clock())
            )
            lines = [
                msgspec.structs.replace(entry, incident_id=subject.incident_id, plate=subject.plate, covert=is_covert)
                for subject, is_covert in audited
            ]
        await asyncio.to_thread(self._audit_log.write, *lines)

    async def record_look_up(self, who: SignedIn, look_up: LookUp, what: str) -> None:
        """Write the look-up of a vehicle before any site is asked. Raises UnavailableError: then none may be."""
        entry = AuditEntry(
            at=self._clock(),
            site=self._site,
            user=who.user.name,
            role=who.user.role,
            what=f"{what}: {look_up.reason}",
            plate=look_up.plate,
        )
        await asyncio.to_thread(self._audit_log.write, entry)

    async def read(self, who: SignedIn) -> tuple[list[AuditEntry], list[AuditEntry]]:
        """Return the newest look-ups that the reader may know of, and the sign-ins that failed lately."""
        since = self._clock() - FAILED_SINCE

        def read() -> tuple[list[AuditEntry], list[AuditEntry]]:
            return readable_lines(self._audit_log.newest_first(), since, covert=who.user.covert)

        return await asyncio.to_thread(read)


def readable_lines(
    entries: Iterable[AuditEntry], since: datetime, *, covert: bool
) -> tuple[list[AuditEntry], list[AuditEntry]]:
    """Return the newest look-ups, and the last line of each run of failed sign-ins since `since`.

    `entries` come newest first. Covert look-ups are left out unless the reader may see them.
    """
    look_ups: list[AuditEntry] = []
    failed: list[AuditEntry] = []
    newer: dict[tuple[str, str], AuditEntry] = {}
    for entry in entries:
        if entry.at < since and len(look_ups) == MAX_LINES_SHOWN:
            break
        if not entry.times:
            if len(look_ups) < MAX_LINES_SHOWN and (covert or not entry.covert):
                look_ups.append(entry)
        elif entry.at >= since and len(failed) < MAX_LINES_SHOWN:
            after = newer.get((entry.user, entry.address))
            newer[entry.user, entry.address] = entry
            if after is None or after.times <= entry.times or after.at - entry.at >= WITHIN:
                failed.append(entry)
    return look_ups, failed
