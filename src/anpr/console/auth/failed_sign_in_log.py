"""Writes failed sign-ins to the audit log: each one or, if there are many, enough to show the guessing."""

import asyncio

from anpr.console.auth.audit_log import AuditEntry, AuditLog
from anpr.console.auth.failed_sign_ins import FailedSignIns
from anpr.console.auth.users_file import UsersFile
from anpr.runtime.clock import Clock
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)


class FailedSignInLog:
    """The failed sign-ins at one console."""

    def __init__(self, site: str, audit_log: AuditLog, users: UsersFile, clock: Clock) -> None:
        """Write to `audit_log` for the console of `site`."""
        self._site = site
        self._audit_log = audit_log
        self._users = users
        self._clock = clock
        self._failed = FailedSignIns()

    def record(self, name: str, address: str, what: str) -> None:
        """Write a failed sign-in, in a thread that nobody waits for. Raises AnprError when the users cannot be read.

        The time of the answer must not tell whether the name exists. An unknown name is not written, because it may
        be a password that was typed into the wrong field.
        """
        now = self._clock()
        user = self._users.users().get(name)
        known_name = user.name if user else ""
        times = self._failed.count(now, known_name, address)
        if not times:
            return
        if self._failed.is_full:
            what += "; more failures in these minutes are not recorded"
        entry = AuditEntry(
            at=now,
            site=self._site,
            user=known_name,
            role=user.role if user else "",
            what=what,
            address=address,
            times=times,
        )
        asyncio.get_running_loop().run_in_executor(None, self._write, entry)

    def _write(self, entry: AuditEntry) -> None:
        try:
            self._audit_log.write(entry)
        except AnprError as error:
            log.warning("a failed sign-in is not in the audit log", reason=str(error))
