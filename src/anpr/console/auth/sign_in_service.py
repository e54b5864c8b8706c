"""Signing in and out. An attempt passes the limit, the password and the site; how it ended is counted and logged."""

import asyncio
from dataclasses import dataclass

from anpr.audit.chain import AuditChain
from anpr.audit.record import AuditEvent
from anpr.console.auth.authentication import SignedIn
from anpr.console.auth.failed_sign_in_log import FailedSignInLog
from anpr.console.auth.sessions import Sessions
from anpr.console.auth.sign_in_limit import SharedSignInLimit
from anpr.console.auth.users_file import User, UsersFile
from anpr.runtime import metrics
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# Each check of a password takes 64 MiB.
_CHECKED_AT_ONCE = 4

# How an attempt ended: the values of the metric's label.
DONE = "done"
WRONG = "wrong"
TOO_MANY = "too_many"
OTHER_SITE = "other_site"
UNAVAILABLE = "unavailable"

# What the audit chain says of an attempt that failed.
_AUDITED = {
    WRONG: "wrong name or password",
    TOO_MANY: "refused: too many attempts",
    OTHER_SITE: "right password, but for another site",
}


@dataclass(frozen=True, slots=True)
class SignInResult:
    """How an attempt ended. `user` and `token` come with `done`, `wait_seconds` with `too_many`."""

    ended: str
    user: User | None = None
    token: str = ""
    wait_seconds: int = 0


class SignInService:
    """Signs people in at one site, and out everywhere."""

    def __init__(  # noqa: PLR0913  everything it touches is handed in
        self,
        site: str,
        *,
        users: UsersFile,
        sessions: Sessions,
        limit: SharedSignInLimit,
        audit_chain: AuditChain,
        failed_sign_ins: FailedSignInLog,
    ) -> None:
        """Only users who belong to `site` get a session."""
        self._site = site
        self._users = users
        self._sessions = sessions
        self._limit = limit
        self._audit_chain = audit_chain
        self._failed_sign_ins = failed_sign_ins
        self._checking = asyncio.Semaphore(_CHECKED_AT_ONCE)

    @property
    def session_seconds(self) -> int:
        """How long a session lasts."""
        return round(self._sessions.lifetime.total_seconds())

    async def attempt(self, name: str, password: str, address: str, replaces: str = "") -> SignInResult:
        """Try a name and a password that came from an address. A success ends the browser's session `replaces`."""
        if seconds := await self._limit.attempt(name, address):
            result = SignInResult(TOO_MANY, wait_seconds=seconds)
        else:
            try:
                async with self._checking:
                    user = await asyncio.to_thread(self._users.check_password, name, password)
                if user is not None:
                    await self._limit.succeeded(name, address)
                result = await self._result_for(user)
                if result.user is not None and replaces:
                    await self._sessions.end(replaces)
            except AnprError as error:
                log.warning("nobody can sign in", reason=str(error))
                result = SignInResult(UNAVAILABLE)
        metrics.CONSOLE_SIGN_INS.labels(result.ended).inc()
        if result.ended in _AUDITED:
            self._record_failure(name, address, _AUDITED[result.ended])
        return result

    async def end_sessions(self, who: SignedIn) -> None:
        """End every session of a user, on every console."""
        await self._record(who.user, "signed out")
        await self._sessions.end_all(who.user.name)

    async def _result_for(self, user: User | None) -> SignInResult:
        if user is None:
            return SignInResult(WRONG)
        if not user.belongs_to(self._site):
            return SignInResult(OTHER_SITE)
        await self._record(user, "signed in")
        return SignInResult(DONE, user, await self._sessions.begin(user.name, user.stamp))

    async def _record(self, user: User, what: str) -> None:
        event = AuditEvent(operation="sign-in", what=what, user=user.name, role=user.role)
        await asyncio.to_thread(self._audit_chain.append, event)

    def _record_failure(self, name: str, address: str, what: str) -> None:
        try:
            self._failed_sign_ins.record(name, address, what)
        except AnprError as error:
            log.warning("a failed sign-in is not in the audit chain", reason=str(error))
