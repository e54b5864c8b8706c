"""Finds the user of a request by the session in its cookie."""

from dataclasses import dataclass

from starlette.requests import Request

from anpr.console.auth import permissions
from anpr.console.auth.sessions import Session, Sessions
from anpr.console.auth.users_file import User, UsersFile


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user, and the session in which they ask."""

    user: User
    session: Session

    def may(self, permission: str) -> bool:
        """Tell whether this user has a permission."""
        return permissions.has_permission(self.user.role, permission)


class Authentication:
    """Finds the user of a request by its cookie."""

    def __init__(self, site: str, users: UsersFile, sessions: Sessions) -> None:
        """The cookie carries the site's name, because the consoles of one machine share their cookies."""
        self.cookie_name = f"anpr_{site}"
        self._users = users
        self._sessions = sessions

    async def signed_in(self, request: Request) -> SignedIn | None:
        """Return who asks, while their session lasts and the users file still names them."""
        token = request.cookies.get(self.cookie_name)
        return self._user_of(await self._sessions.find(token) if token else None)

    def still_signed_in(self, request: Request) -> SignedIn | None:
        """Return the same from this console's memory: hundreds of open streams must not each ask Redis."""
        token = request.cookies.get(self.cookie_name)
        return self._user_of(self._sessions.cached(token) if token else None)

    def why_signed_out(self, request: Request) -> str:
        """Return why who asks is signed out, where neither they nor time has ended their session; "" otherwise."""
        token = request.cookies.get(self.cookie_name)
        return self._sessions.why_signed_out(token) if token else ""

    def _user_of(self, session: Session | None) -> SignedIn | None:
        """Return whose session it is, unless their line of the users file has changed since they signed in."""
        user = self._users.users().get(session.user) if session else None
        return SignedIn(user, session) if user and session and session.user_stamp == user.stamp else None
