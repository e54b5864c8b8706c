"""Who is signed in at any console of the site, asked again and again: the board's thread must not wait for Redis."""

import asyncio

from anpr.console.auth.sessions import REFRESH_EVERY, Sessions
from anpr.console.auth.users_file import UsersFile
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)


class SignedInUsers:
    """The users of a site who are signed in.

    Attributes:
        names: Their names; None while that is not known.
    """

    def __init__(self, site: str, users: UsersFile, sessions: Sessions) -> None:
        """Ask for the users who belong to `site`."""
        self.names: frozenset[str] | None = None
        self._site = site
        self._users = users
        self._sessions = sessions

    async def refresh(self) -> None:
        """Ask once."""
        try:
            users = [user for user in self._users.users().values() if user.belongs_to(self._site)]
        except AnprError as error:
            log.debug("who is signed in is not known", reason=str(error))
            self.names = None
        else:
            self.names = await self._sessions.users_signed_in({user.name: user.stamp for user in users})

    async def refresh_forever(self) -> None:
        """Ask again and again, until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_EVERY.total_seconds())
