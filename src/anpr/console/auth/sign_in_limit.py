"""How often somebody may fail to sign in: over all consoles that share a Redis, and in each by itself without it.

An attempt counts as failed from its beginning until it succeeds, so that many at once are as many.
"""

import hashlib
import math
from collections import deque
from datetime import datetime
from typing import Any, Final

import redis
import redis.asyncio

from anpr.console.auth.failed_sign_ins import WITHIN
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# A person who types badly in one booth; a name that is tried from many places; a booth where many sign in.
MOST_FAILURES = {"name and address": 5, "name": 25, "address": 50}
# More names and addresses than try at once in earnest; the oldest are let go, so that guessing cannot fill memory.
_MOST_KEPT = 10_000

_Key = tuple[str, str]


class SignInLimit:
    """Attempts over the last minutes at this console: of a name at an address, of a name, of an address."""

    def __init__(self) -> None:
        """Begin with none."""
        self._attempts: dict[_Key, deque[datetime]] = {}

    def attempt(self, now: datetime, name: str, address: str) -> int:
        """Count an attempt and return 0; or return, without counting, in how many seconds one is allowed again."""
        keys = _keys(name, address)
        wait = max(self._wait(now, key) for key in keys)
        if not wait:
            for key in keys:
                attempts = self._attempts.pop(key, deque(maxlen=MOST_FAILURES[key[0]]))
                attempts.append(now)
                self._attempts[key] = attempts
            while len(self._attempts) > _MOST_KEPT:
                del self._attempts[next(iter(self._attempts))]
        return wait

    def succeeded(self, began: datetime, name: str, address: str) -> None:
        """Count the attempt that began then no more."""
        for key in _keys(name, address):
            if began in self._attempts.get(key, ()):
                self._attempts[key].remove(began)

    def _wait(self, now: datetime, key: _Key) -> int:
        attempts = self._attempts.get(key)
        if attempts is None or len(attempts) < MOST_FAILURES[key[0]]:
            return 0
        return max(0, math.ceil((attempts[0] + WITHIN - now).total_seconds()))


# What `SignInLimit.attempt` does, in one step for all consoles: times in milliseconds, each key with its most.
_ATTEMPT: Final = """
local now, within, wait = tonumber(ARGV[1]), tonumber(ARGV[2]), 0
for i, key in ipairs(KEYS) do
  local oldest = redis.call('LINDEX', key, -tonumber(ARGV[2 + i]))
  if oldest then wait = math.max(wait, tonumber(oldest) + within - now) end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  redis.call('RPUSH', key, ARGV[1])
  redis.call('LTRIM', key, -tonumber(ARGV[2 + i]), -1)
  redis.call('PEXPIRE', key, within)
end
return 0
"""


class SharedSignInLimit:
    """The limit of all consoles that share a Redis. With Redis away each goes on with what it has seen itself."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        """Count in Redis, under digests: who reads it learns no names."""
        self._redis = client
        self._own = SignInLimit()

    async def attempt(self, now: datetime, name: str, address: str) -> int:
        """Count an attempt and return 0; or return, without counting, in how many seconds one is allowed again."""
        if wait := self._own.attempt(now, name, address):
            return wait
        within = round(WITHIN.total_seconds() * 1000)
        try:
            asked: Any = self._redis.eval(
                _ATTEMPT, len(MOST_FAILURES), *_redis_keys(name, address), _ms(now), within, *MOST_FAILURES.values()
            )
            wait = math.ceil(int(await asked) / 1000)
        except redis.RedisError as error:
            log.debug("sign-ins are counted here alone", reason=str(error))
            return 0
        if wait:
            self._own.succeeded(now, name, address)  # it was none
        return wait

    async def succeeded(self, began: datetime, name: str, address: str) -> None:
        """Count the attempt that began then no more."""
        self._own.succeeded(began, name, address)
        try:
            for key in _redis_keys(name, address):
                taken: Any = self._redis.lrem(key, 1, str(_ms(began)))
                await taken
        except redis.RedisError as error:
            log.debug("an attempt that succeeded goes on counting", reason=str(error))

    async def close(self) -> None:
        """Let Redis go."""
        await self._redis.aclose()


def _keys(name: str, address: str) -> list[_Key]:
    return [("name and address", f"{name} {address}"), ("name", name), ("address", address)]


def _redis_keys(name: str, address: str) -> list[str]:
    return [
        f"anpr:console:attempts:{hashlib.sha256(f'{kind}:{text}'.encode()).hexdigest()}"
        for kind, text in _keys(name, address)
    ]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
