"""The broker's rejections of a service: logged, counted, and shown as the reason for "not ready".

A service does not end when the broker refuses something. A restart would not help, and a running service can show the
reason. It retries, so that it works again as soon as a person has removed the cause.
"""

import time
from collections.abc import Callable

from anpr.kafka.broker_errors import NEXT_STEPS
from anpr.kafka.delivery_errors import RejectedError
from anpr.runtime import metrics
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

RETRY_SECONDS = 1.0
# A rejection that has not come back for this long is over, even if no work has shown it: the broker answers every
# retry well within this time.
_OVER_AFTER_SECONDS = 10.0


class Rejections:
    """The broker's rejections of one service. Any thread may ask for them."""

    def __init__(self, subject: str, stopwatch: Callable[[], float] = time.monotonic) -> None:
        """`subject` is the start of the message: which broker refuses which service."""
        self._subject = subject
        self._stopwatch = stopwatch
        self._last: tuple[float, RejectedError] | None = None

    @property
    def current(self) -> RejectedError | None:
        """The last rejection, while it lasts."""
        if self._last is None or self._stopwatch() - self._last[0] > _OVER_AFTER_SECONDS:
            return None
        return self._last[1]

    def note(self, error: RejectedError) -> None:
        """Log a rejection when it begins, and count it each time."""
        before = self.current
        if before is None or (before.code, str(before)) != (error.code, str(error)):
            log.error(
                "the broker refuses, trying again",
                code=error.code,
                error=f"{self._subject}: {error}",
                next_step=NEXT_STEPS[error.code],
            )
        metrics.REJECTIONS.labels(error.code).inc()
        self._last = self._stopwatch(), error

    def clear(self) -> None:
        """Note that the broker accepts again."""
        if self.current is not None:
            log.info("the broker accepts again")
        self._last = None

    def why_not_ready(self) -> list[str]:
        """Return why the service is not ready, nothing when the broker refuses nothing."""
        error = self.current
        return [] if error is None else [f"{self._subject}: {error} (docs/errors.md#{error.code})"]
