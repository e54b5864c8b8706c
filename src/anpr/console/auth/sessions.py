"""Who is signed in: sessions in Redis, so that sign-out ends them on every console, and the last ones seen here.

With Redis away a session that this console has seen goes on until it expires. Nobody can sign in then, and a
sign-out holds here at once and everywhere as soon as Redis is back.

Redis holds a digest of the token, never the token: who reads Redis cannot sign in with what is found there.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec
import redis
import redis.asyncio
from msgspec import Struct
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from anpr.runtime.clock import Clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# How long a session's end on another console may go unnoticed here.
LOOK_AGAIN = timedelta(seconds=1)
_PREFIX = "anpr:console:"


class Session(Struct, frozen=True, kw_only=True):
    """One signed-in browser. `csrf` is what its forms must bring, `user_stamp` the stamp of who signed in."""

    user: str
    user_stamp: str = ""  # one from before there were stamps fits nobody
    csrf: str
    started_at: datetime
    expires_at: datetime


def connect(url: str) -> redis.asyncio.Redis:
    """Return a client that answers or fails within a second."""
    return redis.asyncio.Redis.from_url(
        url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0), client_name="anpr-console"
    )


class Sessions:
    """The sessions of one console."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        lifetime: timedelta,
        clock: Clock,
        new_token: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        """Sessions end `lifetime` after sign-in."""
        self._redis = client
        self._lifetime = lifetime
        self._clock = clock
        self._new_token = new_token
        self._seen: dict[str, tuple[Session, datetime]] = {}
        # Signed out here while Redis was away: user → until when it must still be told.
        self._to_end: dict[str, datetime] = {}
        self.is_away = False

    async def begin(self, user: str, user_stamp: str) -> str:
        """Return the token of a new session. Raises UnavailableError with Redis away."""
        now = self._clock()
        await self._end_in_redis()  # what was signed out before must not take this session with it later
        session = Session(
            user=user,
            user_stamp=user_stamp,
            csrf=self._new_token(),
            started_at=now,
            expires_at=now + self._lifetime,
        )
        token = self._new_token()
        key = _key(token)
        try:
            await self._redis.set(key, msgspec.json.encode(session), ex=self._lifetime)
            await self._redis.sadd(_of_user(user), key)
            await self._redis.expire(_of_user(user), self._lifetime)
        except redis.RedisError as error:
            raise UnavailableError(
                "redis-unavailable", f"sessions cannot be stored: {error}", "try again when Redis is back"
            ) from None
        self._seen[key] = (session, now)
        return token

    async def find(self, token: str) -> Session | None:
        """Return the session of a token while it lasts."""
        key, now = _key(token), self._clock()
        session, looked_at = self._seen.get(key, (None, None))
        if looked_at is None or now - looked_at >= LOOK_AGAIN:
            session = await self._look(key, session)
        if session is None or session.expires_at <= now:
            self._seen.pop(key, None)
            return None
        self._seen[key] = (session, now if looked_at is None or now - looked_at >= LOOK_AGAIN else looked_at)
        return session

    async def look_again(self) -> None:
        """Learn in one question which of the sessions seen here have ended elsewhere, however many there are."""
        now = self._clock()
        self._seen = {key: seen for key, seen in self._seen.items() if seen[0].expires_at > now}
        asked = list(self._seen)
        await self._end_in_redis()
        values = await self._ask(asked)
        for key, value in zip(asked, values or [], strict=False):
            if value is None:
                self._seen.pop(key, None)
            elif key in self._seen:
                self._seen[key] = (self._seen[key][0], now)

    def remembered(self, token: str) -> Session | None:
        """Return the session of a token as `find` or `look_again` last saw it, while it lasts."""
        session, _ = self._seen.get(_key(token), (None, None))
        return session if session is not None and session.expires_at > self._clock() else None

    async def end_all(self, user: str) -> None:
        """End every session of a person, here at once and on the other consoles as soon as Redis takes it."""
        for key in [key for key, (session, _) in self._seen.items() if session.user == user]:
            del self._seen[key]
        self._to_end[user] = self._clock() + self._lifetime
        await self._end_in_redis()

    async def close(self) -> None:
        """Let Redis go."""
        await self._redis.aclose()

    async def _look(self, key: str, known: Session | None) -> Session | None:
        await self._end_in_redis()
        values = await self._ask([key])
        if values is None:
            return known
        return None if values[0] is None else msgspec.json.decode(values[0], type=Session)

    async def _ask(self, keys: Sequence[str]) -> Sequence[bytes | str | None] | None:
        """Return what Redis has under these keys; None with Redis away."""
        if not keys:
            return ()
        try:
            values = await self._redis.mget(keys)
        except redis.RedisError as error:
            self.is_away = True
            log.debug("sessions are kept from memory", reason=str(error))
            return None
        self.is_away = False
        return values

    async def _end_in_redis(self) -> None:
        now = self._clock()
        for user, until in list(self._to_end.items()):
            try:
                keys = await self._redis.smembers(_of_user(user)) if until > now else ()
                if keys:
                    await self._redis.delete(*keys)
                await self._redis.delete(_of_user(user))
            except redis.RedisError:
                return
            self._to_end.pop(user, None)


def _key(token: str) -> str:
    return f"{_PREFIX}session:{hashlib.sha256(token.encode()).hexdigest()}"


def _of_user(user: str) -> str:
    return f"{_PREFIX}sessions-of:{user}"
