"""How often one officer, and all of one site, may look vehicles up: nobody lists a port's traffic plate by plate."""

import math
import threading
import time
from collections.abc import Callable

from anpr.history.api.token_bucket import TokenBucket
from anpr.runtime.errors import InputError


class TooOftenError(InputError):
    """Somebody has asked too often. `wait_seconds` says, in whole seconds, when to ask again."""

    def __init__(self, who: str, per_minute: int, wait_seconds: int) -> None:
        """`who` may ask `per_minute` times a minute."""
        super().__init__(
            "look-up-too-often",
            f"{who} may look up {per_minute} vehicles a minute here",
            f"ask again in {wait_seconds} s",
        )
        self.wait_seconds = wait_seconds


class RateLimits:
    """The look-ups of the last minute, by officer and by site. Threads may ask at the same time."""

    def __init__(
        self, officer_per_minute: int, site_per_minute: int, stopwatch: Callable[[], float] = time.monotonic
    ) -> None:
        """Allow so many look-ups a minute to each officer of a site, and to a site."""
        self._officer_per_minute, self._site_per_minute = officer_per_minute, site_per_minute
        self._stopwatch = stopwatch
        self._officers: dict[tuple[str, str], TokenBucket] = {}
        self._sites: dict[str, TokenBucket] = {}
        self._lock = threading.Lock()

    def take(self, site: str, user: str) -> None:
        """Count a look-up of a user at a site. Raises TooOftenError; what is refused does not count."""
        with self._lock:
            now = self._stopwatch()
            self._forget_full_buckets(now)
            limits = (
                (
                    "this person",
                    self._officer_per_minute,
                    self._officers.setdefault((site, user), TokenBucket(self._officer_per_minute, now)),
                ),
                (
                    "this site",
                    self._site_per_minute,
                    self._sites.setdefault(site, TokenBucket(self._site_per_minute, now)),
                ),
            )
            for who, per_minute, bucket in limits:
                if wait := bucket.wait_seconds(now):
                    raise TooOftenError(who, per_minute, math.ceil(wait))
            for _, _, bucket in limits:
                bucket.take()

    def _forget_full_buckets(self, now: float) -> None:
        """Keep only who has asked within the last minute: a site that invents names does not fill the memory.

        There are as many names at most as a site may ask in a minute.
        """
        self._officers = {key: bucket for key, bucket in self._officers.items() if not bucket.is_full(now)}
