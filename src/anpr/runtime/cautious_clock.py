"""A clock for what cannot be undone: what it calls too old is deleted, taken off a list, or forgotten.

The clock of a machine that was set forward by mistake, for a moment only, would end every entry and delete every day.
So this one goes on by the stopwatch until the other has kept its new time for an hour. A clock that is set back is
followed at once: then things are kept for longer, and nothing is lost.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from anpr.runtime.clock import Clock
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

BELIEVED_AFTER: Final = timedelta(hours=1)
# A clock that is corrected by less, or drifts, is followed.
_SMALL: Final = timedelta(seconds=60)


class CautiousClock:
    """Call it for the present moment. For one thread."""

    def __init__(self, clock: Clock, stopwatch: Callable[[], float] = time.monotonic) -> None:
        """Follow `clock` as it is now, and later where it agrees with `stopwatch`."""
        self._clock = clock
        self._stopwatch = stopwatch
        self._now, self._seconds = clock(), stopwatch()
        # By how much the clock is ahead, and since when by the stopwatch.
        self._doubted: tuple[timedelta, float] | None = None

    def __call__(self) -> datetime:
        """Return the moment that may be acted on."""
        said, seconds = self._clock(), self._stopwatch()
        expected = self._now + timedelta(seconds=seconds - self._seconds)
        ahead = said - expected
        if ahead <= _SMALL:
            self._doubted = None
        elif self._doubted is None or abs(self._doubted[0] - ahead) > _SMALL:
            self._doubted = ahead, seconds
            by_seconds = round(ahead.total_seconds())
            log.warning("the clock was set forward: nothing expires by it for now", by_seconds=by_seconds)
        elif seconds - self._doubted[1] >= BELIEVED_AFTER.total_seconds():
            self._doubted = None
            log.warning("the clock has kept its new time: things expire by it again")
        self._now, self._seconds = (said if self._doubted is None else expected), seconds
        return self._now
