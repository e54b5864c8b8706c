"""Limits failed sign-ins: over all consoles that share a Redis, and per console while it is away.

An attempt counts as failed from its start until it succeeds. So attempts made at the same time all count.
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

# A person who types badly in one booth; a name that is tried from many addresses; a booth where many sign in.
MAX_FAILURES = {"name and address": 5, "name": 25, "address": 50}
# More names and addresses than people use. The oldest are forgotten, so that guessing cannot fill memory.
_MAX_KEPT = 10_000

_Key = tuple[str, str]


class SignInLimit:
    """The attempts of the last minutes at this console: by name and address, by name, by address."""

    def __init__(self) -> None:
        """Start with none."""
        self._attempts: dict[_Key, deque[datetime]] = {}

    def attempt(self, now: datetime, name: str, address: str) -> int:
        """Count an attempt and return 0; or, when there were too many, return how many seconds to wait."""
        keys = _keys(name, address)
        wait = max(self._wait(now, key) for key in keys)
        if not wait:
            for key in keys:
                attempts = self._attempts.pop(key, deque(maxlen=MAX_FAILURES[key[0]]))
                attempts.append(now)
                self._attempts[key] = attempts
            while len(self._attempts) > _MAX_KEPT:
                del self._attempts[next(iter(self._attempts))]
        return wait

    def succeeded(self, began_at: datetime, name: str, address: str) -> None:
        """Stop counting the attempt that began at this moment."""
        for key in _keys(name, address):
            if began_at in self._attempts.get(key, ()):
                self._attempts[key].remove(began_at)

    def _wait(self, now: datetime, key: _Key) -> int:
        attempts = self._attempts.get(key)
        if attempts is None or len(attempts) < MAX_FAILURES[key[0]]:
            return 0
        return max(0, math.ceil((attempts[0] + WITHIN - now).total_seconds()))


# `SignInLimit.attempt` in one step for all consoles. Times are in milliseconds; each key has its own maximum.
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
    """The limit of all consoles that share a Redis. While Redis is away, each counts its own attempts."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        """Count in Redis, under digests: nobody who reads Redis learns a name."""
        self._redis = client
        self._local = SignInLimit()

    async def attempt(self, now: datetime, name: str, address: str) -> int:
        """Count an attempt and return 0; or, when there were too many, return how many seconds to wait."""
        if wait := self._local.attempt(now, name, address):
            return wait
        within = round(WITHIN.total_seconds() * 1000)
        try:
            answer: Any = self._redis.eval(
                _ATTEMPT, len(MAX_FAILURES), *_redis_keys(name, address), _ms(now), within, *MAX_FAILURES.values()
            )
            wait = math.ceil(int(await answer) / 1000)
        except redis.RedisError as error:
            log.debug("sign-ins are counted here alone", reason=str(error))
            return 0
        if wait:
            self._local.succeeded(now, name, address)  # it was refused, so it does not count
        return wait

    async def succeeded(self, began_at: datetime, name: str, address: str) -> None:
        """Stop counting the attempt that began at this moment."""
        self._local.succeeded(began_at, name, address)
        try:
            for key in _redis_keys(name, address):
                removal: Any = self._redis.lrem(key, 1, str(_ms(began_at)))
                await removal
        except redis.RedisError as error:
            log.debug("an attempt that succeeded still counts as failed", reason=str(error))

    async def close(self) -> None:
        """Disconnect from Redis."""
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
