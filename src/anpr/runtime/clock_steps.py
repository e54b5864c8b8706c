"""Notices that the clock of this machine was set: the time of day went on by more or less than a stopwatch did."""

from collections.abc import Callable

from anpr.runtime.clock import Clock
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# A clock that is corrected by less changes nothing that a person sees.
_LEAST_SECONDS = 2.0


class ClockSteps:
    """Call `note` about once a second."""

    def __init__(self, clock: Clock, stopwatch: Callable[[], float]) -> None:
        """Compare `clock` with `stopwatch`."""
        self._clock = clock
        self._stopwatch = stopwatch
        self._ahead = self._measure()

    def note(self) -> float:
        """Return by how many seconds the clock was set since the last call, 0 when it was not. Log it."""
        ahead = self._measure()
        step, self._ahead = ahead - self._ahead, ahead
        if abs(step) < _LEAST_SECONDS:
            return 0.0
        log.warning("the clock of this machine was set", by_seconds=round(step))
        return step

    def _measure(self) -> float:
        return self._clock().timestamp() - self._stopwatch()
