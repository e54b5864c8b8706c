"""The audit log, newest first: who looked up what, and for whom sign-in failed. Who reads it is in it, too."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth.access import show
from anpr.console.auth.audit_log import AuditEntry
from anpr.console.auth.failed_sign_ins import WITHIN
from anpr.console.console import Console, SignedIn

NEWEST = 200
FAILED_SINCE = timedelta(days=7)


async def page(_: Request, console: Console, who: SignedIn) -> Response:
    """Show the newest look-ups at this console, and the sign-ins that failed lately."""
    await console.note_look_up(who, "audit log")

    def read() -> tuple[list[AuditEntry], list[AuditEntry]]:
        return _newest(console.audit.newest_first(), console.clock() - FAILED_SINCE, covert=who.user.covert)

    lines, failed = await asyncio.to_thread(read)
    return show(console, "audit.html", who, lines=lines, failed=failed, failed_days=FAILED_SINCE.days)


def _newest(
    entries: Iterable[AuditEntry], since: datetime, *, covert: bool
) -> tuple[list[AuditEntry], list[AuditEntry]]:
    """Return the newest look-ups that the reader may know of, and of each run of failed sign-ins the last line."""
    look_ups: list[AuditEntry] = []
    failed: list[AuditEntry] = []
    newer: dict[tuple[str, str], AuditEntry] = {}
    for entry in entries:
        if entry.at < since and len(look_ups) == NEWEST:
            break
        if not entry.times:
            if len(look_ups) < NEWEST and (covert or not entry.covert):
                look_ups.append(entry)
        elif entry.at >= since and len(failed) < NEWEST:
            after = newer.get((entry.user, entry.address))
            newer[entry.user, entry.address] = entry
            if after is None or after.times <= entry.times or after.at - entry.at >= WITHIN:
                failed.append(entry)
    return look_ups, failed
