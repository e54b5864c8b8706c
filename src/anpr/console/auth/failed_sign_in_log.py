"""Records failed sign-ins in the audit chain: each one or, if there are many, enough to show the guessing."""

import asyncio

from anpr.audit.chain import AuditChain
from anpr.audit.record import AuditEvent
from anpr.console.auth.failed_sign_in_runs import ADDRESS, TIMES
from anpr.console.auth.failed_sign_ins import FailedSignIns
from anpr.console.auth.users_file import UsersFile
from anpr.runtime.clock import Clock
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)


class FailedSignInLog:
    """The failed sign-ins at one console."""

    def __init__(self, chain: AuditChain, users: UsersFile, clock: Clock) -> None:
        """Record in the console's own chain."""
        self._chain = chain
        self._users = users
        self._clock = clock
        self._failed = FailedSignIns()

    def record(self, name: str, address: str, what: str) -> None:
        """Record a failed sign-in, in a thread that nobody waits for. Raises AnprError when the users cannot be read.

        The time of the answer must not tell whether the name exists. An unknown name is not recorded, because it may
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
        event = AuditEvent(
            operation="sign-in",
            what=what,
            user=known_name,
            role=user.role if user else "",
            details={ADDRESS: address, TIMES: str(times)},
        )
        asyncio.get_running_loop().run_in_executor(None, self._append, event)

    def _append(self, event: AuditEvent) -> None:
        try:
            self._chain.append(event)
        except AnprError as error:
            log.warning("a failed sign-in is not in the audit chain", reason=str(error))
