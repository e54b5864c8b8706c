"""The sessions of users who are signed in: in Redis, so that sign-out ends them everywhere, and copied in memory.

While Redis is away, a session that this console has seen lasts until it expires. Nobody can sign in then. A sign-out
applies here immediately, and at the other consoles as soon as Redis is back. That holds too while Redis answers and
refuses writes.

Redis may come back empty. Then everybody is signed out, and is told why: beside the sessions Redis holds an id of
what it stores. Where the id is another one, or none, a missing session was lost and nobody ended it.

Redis holds a digest of the token, never the token: nobody who reads Redis can sign in with it.

Somebody may set the clock of this machine. A session that is known here lasts by the stopwatch, and one that Redis
holds by a clock that is not believed at once when it is ahead. A sign-out ends whatever began before it, also what
began by a clock that was ahead then.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
import redis
import redis.asyncio
from msgspec import Struct
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from anpr.runtime.cautious_clock import CautiousClock
from anpr.runtime.clock import Clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# How long this console may not notice that another console has ended a session.
REFRESH_EVERY: Final = timedelta(seconds=1)
_REFRESH_SECONDS: Final = REFRESH_EVERY.total_seconds()
_PREFIX = "anpr:console:"
_STORE = f"{_PREFIX}sessions-store"
# What a person is told whose session Redis has lost.
LOST: Final = "The sign-in service was restarted and has lost who was signed in."


class Session(Struct, frozen=True, kw_only=True):
    """One signed-in browser. Its forms must bring `csrf`; `user_stamp` is the stamp of the user who signed in."""

    user: str
    user_stamp: str = ""  # a session stored before there were stamps has none, and is nobody's
    csrf: str
    started_at: datetime
    expires_at: datetime


class _Seen(NamedTuple):
    """A session in memory. By the stopwatch: when it ends, and when Redis last had it."""

    session: Session
    ends_at: float
    checked_at: float


class _SignOut(NamedTuple):
    """A sign-out that Redis has not taken: which sessions it ends, and by the stopwatch when it was."""

    began_until: datetime
    noted_at: float


def connect_sessions(url: str) -> redis.asyncio.Redis:
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
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """Sessions end `lifetime` after sign-in."""
        self._redis = client
        self.lifetime = lifetime
        self._clock = CautiousClock(clock, stopwatch)
        self._stopwatch = stopwatch
        self._new_token = new_token
        self._cache: dict[str, _Seen] = {}
        # Sign-outs that Redis has not taken yet: of users by their name, and of single sessions by their key. Each is
        # forgotten once no session before it can last.
        self._pending_sign_outs: dict[str, _SignOut] = {}
        self._pending_ends: dict[str, float] = {}
        self.is_redis_away = False
        # Whether the last sign-out was not taken because nothing answered.
        self._is_silent = False
        # The id of what Redis stored when the sessions in memory were last found there, and the sessions lost since.
        self._store: bytes | str | None = None
        self._lost: dict[str, float] = {}

    async def begin(self, user: str, user_stamp: str) -> str:
        """Return the token of a new session. Raises UnavailableError while Redis is away."""
        now = self._clock()
        await self._end_in_redis()  # or an earlier sign-out would end this session later
        session = Session(
            user=user,
            user_stamp=user_stamp,
            csrf=self._new_token(),
            started_at=now,
            expires_at=now + self.lifetime,
        )
        token = self._new_token()
        key = _key(token)
        try:
            await self._redis.set(_STORE, self._new_token(), nx=True)
            # Known at once: Redis may lose the session before the next refresh.
            self._store = self._store or await self._redis.get(_STORE)
            await self._redis.set(key, msgspec.json.encode(session), ex=self.lifetime)
            await self._redis.sadd(_of_user(user), key)
            await self._redis.expire(_of_user(user), self.lifetime)
        except redis.RedisError as error:
            raise UnavailableError(
                "redis-unavailable", f"sessions cannot be stored: {error}", "try again when Redis is back"
            ) from None
        self._cache[key] = self._seen(key, session)
        return token

    async def find(self, token: str) -> Session | None:
        """Return the session of a token while it lasts."""
        key = _key(token)
        seen = self._cache.get(key)
        if seen is None or self._stopwatch() - seen.checked_at >= _REFRESH_SECONDS:
            session = await self._fetch(key, seen.session if seen else None)
            if session is None:
                self._cache.pop(key, None)
                return None
            seen = self._seen(key, session)
        if seen.ends_at <= self._stopwatch():
            await self.end(token)  # or a clock that was set back would let it begin again
            return None
        self._cache[key] = seen
        return seen.session

    async def refresh(self) -> None:
        """Ask Redis once which of the sessions in memory other consoles have ended, however many there are."""
        seconds = self._stopwatch()
        for key in [key for key, seen in self._cache.items() if seen.ends_at <= seconds]:
            del self._cache[key]
            self._pending_ends[key] = seconds
        self._lost = {key: at for key, at in self._lost.items() if not self._is_over(at)}
        keys = list(self._cache)
        await self._end_in_redis()
        store, *values = await self._values([_STORE, *keys]) or [self._store]
        for key, value in zip(keys, values, strict=False):
            if _session_in(value) is None:
                self._note_missing(key, store)
                self._cache.pop(key, None)
            elif key in self._cache:
                self._cache[key] = self._cache[key]._replace(checked_at=seconds)
        self._store = store or self._store

    def why_signed_out(self, token: str) -> str:
        """Return why a token has no session, where nobody has ended it; "" otherwise."""
        return LOST if _key(token) in self._lost else ""

    def cached(self, token: str) -> Session | None:
        """Return the session of a token as `find` or `refresh` last saw it, while it lasts. Does not ask Redis."""
        seen = self._cache.get(_key(token))
        return seen.session if seen is not None and seen.ends_at > self._stopwatch() else None

    async def refresh_forever(self) -> None:
        """Refresh again and again, until cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH_EVERY.total_seconds())

    async def end_all(self, user: str) -> None:
        """End every session of a user: here immediately, at the other consoles as soon as Redis has the sign-out."""
        began_until = self._clock()
        for key in [key for key, seen in self._cache.items() if seen.session.user == user]:
            began_until = max(began_until, self._cache.pop(key).session.started_at)
        self._pending_sign_outs[user] = _SignOut(began_until, self._stopwatch())
        # What Redis holds at this moment began before, whatever any clock says.
        if await self._was_written(self._end_sessions_of(user, None)):
            self._pending_sign_outs.pop(user, None)
        await self._end_in_redis()

    async def end(self, token: str) -> None:
        """End the session of a token: here immediately, at the other consoles as soon as Redis has that."""
        key = _key(token)
        self._cache.pop(key, None)
        self._pending_ends[key] = self._stopwatch()
        await self._end_in_redis()

    async def users_signed_in(self, stamps: Mapping[str, str]) -> frozenset[str] | None:
        """Return which of these users have a session at any console of the site; None while Redis is away.

        `stamps` holds the stamp of each user now, by name: a session of another one is nobody's.
        """
        try:
            asking = self._redis.pipeline(transaction=False)
            for name in stamps:
                asking.smembers(_of_user(name))
            keys = [key.decode() for of_user in await asking.execute() for key in of_user]
        except (redis.RedisError, UnicodeDecodeError) as error:
            log.debug("who is signed in is not known", reason=str(error))
            return None
        values = await self._values(keys)
        if values is None:
            return None
        sessions = ((key, _session_in(value)) for key, value in zip(keys, values, strict=True))
        return frozenset(
            session.user
            for key, session in sessions
            if session is not None
            and self._seen(key, session).ends_at > self._stopwatch()
            and stamps.get(session.user) == session.user_stamp
            and not self._has_ended(key, session)
        )

    async def close(self) -> None:
        """Disconnect from Redis."""
        await self._redis.aclose()

    async def _fetch(self, key: str, cached: Session | None) -> Session | None:
        await self._end_in_redis()
        values = await self._values([_STORE, key])
        session = cached if values is None else _session_in(values[1])
        if session is None and cached is not None and values is not None:
            self._note_missing(key, values[0])
        return None if session is None or self._has_ended(key, session) else session

    def _note_missing(self, key: str, store: bytes | str | None) -> None:
        """Note that Redis has a session no more: it was lost if Redis stores something else than before."""
        if self._store is not None and store != self._store and key not in self._pending_ends:
            self._lost[key] = self._stopwatch()

    def _seen(self, key: str, session: Session) -> _Seen:
        """Return a session as it is known now. One that is in memory already ends when it was to end."""
        seconds, known = self._stopwatch(), self._cache.get(key)
        if known is not None:
            return known._replace(session=session, checked_at=seconds)
        left = min(session.expires_at - self._clock(), self.lifetime)
        return _Seen(session, seconds + left.total_seconds(), seconds)

    def _is_over(self, noted_at: float) -> bool:
        """Tell whether no session lasts any more that was there at a moment of the stopwatch."""
        return self._stopwatch() - noted_at > self.lifetime.total_seconds()

    def _has_ended(self, key: str, session: Session) -> bool:
        """Tell whether a session has ended here, though Redis may still have it."""
        sign_out = self._pending_sign_outs.get(session.user)
        return key in self._pending_ends or (sign_out is not None and session.started_at <= sign_out.began_until)

    async def _values(self, keys: Sequence[str]) -> Sequence[bytes | str | None] | None:
        """Return the values that Redis has under these keys; None while Redis is away."""
        if not keys:
            return ()
        try:
            values = await self._redis.mget(keys)
        except redis.RedisError as error:
            self.is_redis_away = True
            log.debug("sessions are kept from memory", reason=str(error))
            return None
        self.is_redis_away = False
        return values

    async def _end_in_redis(self) -> None:
        """Write each sign-out to Redis that is not there yet. One that Redis refuses holds up no other.

        While Redis does not answer, each would take a second, and a page waits for this: then only one is tried.
        """
        for user, sign_out in list(self._pending_sign_outs.items()):
            if self._is_over(sign_out.noted_at) or await self._was_written(
                self._end_sessions_of(user, sign_out.began_until)
            ):
                self._pending_sign_outs.pop(user, None)
            elif self._is_silent:
                return
        for key, ended_at in list(self._pending_ends.items()):
            if self._is_over(ended_at) or await self._was_written(self._redis.delete(key)):
                self._pending_ends.pop(key, None)
            elif self._is_silent:
                return

    async def _end_sessions_of(self, user: str, began_until: datetime | None) -> None:
        """End the sessions of a user in Redis that began until a moment; None: all of them."""
        keys = sorted(await self._redis.smembers(_of_user(user)))
        values = await self._redis.mget(keys) if keys else ()
        ended = [
            key
            for key, value in zip(keys, values, strict=True)
            if began_until is None or not _began_after(value, began_until)
        ]
        if ended:
            await self._redis.delete(*ended)
            await self._redis.srem(_of_user(user), *ended)

    async def _was_written(self, writing: Awaitable[object]) -> bool:
        try:
            await writing
        except redis.RedisError as error:
            self._is_silent = isinstance(error, redis.ConnectionError | redis.TimeoutError)
            log.debug("Redis has not taken a sign-out yet", reason=str(error))
            return False
        return True


def _session_in(value: bytes | str | None) -> Session | None:
    """Return the session that Redis holds under a key. What is no session there signs nobody in."""
    try:
        return None if value is None else msgspec.json.decode(value, type=Session)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        log.warning("a session in Redis cannot be read")
        return None


def _began_after(value: bytes | str | None, moment: datetime) -> bool:
    session = _session_in(value)
    return session is not None and session.started_at > moment


def _key(token: str) -> str:
    return f"{_PREFIX}session:{hashlib.sha256(token.encode()).hexdigest()}"


def _of_user(user: str) -> str:
    return f"{_PREFIX}sessions-of:{user}"
