"""Limits failed sign-ins: over all consoles that share a Redis, and per console while it is away.

An attempt counts as failed from its start until it succeeds. So attempts made at the same time all count.
"""

import hashlib
import math
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
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

# For so long after a person has signed in from an address, guesses by others keep neither that name nor that address
# from them: they are held to the limit of name and address alone.
KNOWN_FOR: Final = timedelta(days=30)

_Key = tuple[str, str]


class SignInLimit:
    """The attempts of the last minutes at this console: by name and address, by name, by address."""

    def __init__(self, stopwatch: Callable[[], float] = time.monotonic) -> None:
        """Start with none."""
        self._stopwatch = stopwatch
        self._attempts: dict[_Key, deque[float]] = {}
        self._known: dict[_Key, float] = {}

    def attempt(self, name: str, address: str) -> int:
        """Count an attempt and return 0; or, when there were too many, return how many seconds to wait."""
        now = self._stopwatch()
        keys = self._counted(now, name, address)
        wait = max(self._wait(now, key) for key in keys)
        if not wait:
            for key in keys:
                attempts = self._attempts.pop(key, deque(maxlen=MAX_FAILURES[key[0]]))
                attempts.append(now)
                self._attempts[key] = attempts
            _keep_newest(self._attempts)
        return wait

    def succeeded(self, name: str, address: str) -> None:
        """Stop counting the last attempt of this name from this address, and know them from now on."""
        self.forget(name, address)  # first: what counted depends on who is known
        for key in _places(name, address):
            self._known.pop(key, None)
            self._known[key] = self._stopwatch()
        _keep_newest(self._known)

    def forget(self, name: str, address: str) -> None:
        """Stop counting the last attempt of this name from this address."""
        for key in self._counted(self._stopwatch(), name, address):
            if self._attempts.get(key):
                self._attempts[key].pop()

    def _counted(self, now: float, name: str, address: str) -> list[_Key]:
        known = [now - self._known.get(key, -math.inf) < KNOWN_FOR.total_seconds() for key in _places(name, address)]
        return _counted_keys(name, address, *known)

    def _wait(self, now: float, key: _Key) -> int:
        attempts = self._attempts.get(key)
        if attempts is None or len(attempts) < MAX_FAILURES[key[0]]:
            return 0
        return max(0, math.ceil(attempts[0] + WITHIN.total_seconds() - now))


# `SignInLimit.attempt` in one step for all consoles. Times are in milliseconds; each key has its own maximum.
# Redis's own clock counts, so that consoles whose clocks differ or are set agree.
_ATTEMPT: Final = """
local time = redis.call('TIME')
local now, within, wait = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[1]), 0
for i, key in ipairs(KEYS) do
  local oldest = redis.call('LINDEX', key, -tonumber(ARGV[1 + i]))
  if oldest then wait = math.max(wait, math.min(within, tonumber(oldest) + within - now)) end
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  redis.call('RPUSH', key, now)
  redis.call('LTRIM', key, -tonumber(ARGV[1 + i]), -1)
  redis.call('PEXPIRE', key, within)
end
return 0
"""


class SharedSignInLimit:
    """The limit of all consoles that share a Redis. While Redis is away, each counts its own attempts."""

    def __init__(self, client: redis.asyncio.Redis, stopwatch: Callable[[], float] = time.monotonic) -> None:
        """Count in Redis, under digests: nobody who reads Redis learns a name."""
        self._redis = client
        self._local = SignInLimit(stopwatch)

    async def attempt(self, name: str, address: str) -> int:
        """Count an attempt and return 0; or, when there were too many, return how many seconds to wait."""
        if wait := self._local.attempt(name, address):
            return wait
        within = round(WITHIN.total_seconds() * 1000)
        try:
            keys = await self._counted(name, address)
            redis_keys = [_redis_key("attempts", key) for key in keys]
            most = [MAX_FAILURES[kind] for kind, _ in keys]
            answer: Any = self._redis.eval(_ATTEMPT, len(keys), *redis_keys, within, *most)
            wait = math.ceil(int(await answer) / 1000)
        except redis.RedisError as error:
            log.debug("sign-ins are counted here alone", reason=str(error))
            return 0
        if wait:
            self._local.forget(name, address)  # it was refused, so it does not count
        return wait

    async def succeeded(self, name: str, address: str) -> None:
        """Stop counting the last attempt of this name from this address, and know them from now on."""
        self._local.succeeded(name, address)
        try:
            for key in await self._counted(name, address):
                removal: Any = self._redis.rpop(_redis_key("attempts", key))
                await removal
            for key in _places(name, address):
                await self._redis.set(_redis_key("known", key), "1", ex=KNOWN_FOR)
        except redis.RedisError as error:
            log.debug("an attempt that succeeded still counts as failed", reason=str(error))

    async def _counted(self, name: str, address: str) -> list[_Key]:
        known = await self._redis.mget([_redis_key("known", key) for key in _places(name, address)])
        return _counted_keys(name, address, *(value is not None for value in known))

    async def close(self) -> None:
        """Disconnect from Redis."""
        await self._redis.aclose()


def _keys(name: str, address: str) -> list[_Key]:
    return [("name and address", f"{name} {address}"), ("name", name), ("address", address)]


def _places(name: str, address: str) -> list[_Key]:
    """Return under what it is known that somebody signed in lately: this name from this address, and this name."""
    return [("name and address", f"{name} {address}"), ("name", name)]


def _counted_keys(name: str, address: str, is_pair_known: bool, is_name_known: bool) -> list[_Key]:  # noqa: FBT001
    """Return under what an attempt counts.

    Guesses of a name elsewhere do not keep its owner from a place where they signed in lately, and guesses of other
    names do not keep a person from an address who signed in lately anywhere.
    """
    by_both, by_name, by_address = _keys(name, address)
    return [by_both, *([] if is_pair_known else [by_name]), *([] if is_pair_known or is_name_known else [by_address])]


def _keep_newest(kept: dict[_Key, Any]) -> None:
    while len(kept) > _MAX_KEPT:
        del kept[next(iter(kept))]


def _redis_key(what: str, key: _Key) -> str:
    kind, text = key
    return f"anpr:console:{what}:{hashlib.sha256(f'{kind}:{text}'.encode()).hexdigest()}"
