"""What the broker refuses a service, while it does: told in the log, counted, and why the service is not ready.

A service does not end when it is refused: a restart would mend nothing, and one that comes and goes says less than
one that stays and says why. It tries again by itself, so that work goes on when the cause is mended.
"""

import time
from collections.abc import Callable

from anpr.kafka.broker_errors import NEXT_STEPS
from anpr.kafka.interfaces import RejectedError
from anpr.runtime import metrics
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

AGAIN_SECONDS = 1.0
# A refusal that has not come back for so long is over, also where no work has shown it: every try is answered well
# within it.
_OVER_AFTER_SECONDS = 10.0


class Rejections:
    """Noted where they come; asked from any thread."""

    def __init__(self, what: str, stopwatch: Callable[[], float] = time.monotonic) -> None:
        """`what` says who refuses whom."""
        self._what = what
        self._stopwatch = stopwatch
        self._last: tuple[float, RejectedError] | None = None

    @property
    def standing(self) -> RejectedError | None:
        """The last refusal, while it lasts."""
        if self._last is None or self._stopwatch() - self._last[0] > _OVER_AFTER_SECONDS:
            return None
        return self._last[1]

    def note(self, error: RejectedError) -> None:
        """Tell of a refusal: in the log when it begins, in the metrics each time."""
        before = self.standing
        if before is None or (before.code, str(before)) != (error.code, str(error)):
            log.error(
                "the broker refuses, trying again",
                code=error.code,
                error=f"{self._what}: {error}",
                next_step=NEXT_STEPS[error.code],
            )
        metrics.REFUSALS.labels(error.code).inc()
        self._last = self._stopwatch(), error

    def over(self) -> None:
        """Tell that what was refused has been taken since."""
        if self.standing is not None:
            log.info("the broker does not refuse any more")
        self._last = None

    def missing(self) -> list[str]:
        """Return what to say to who asks whether the service is ready, nothing when nothing is refused."""
        error = self.standing
        return [] if error is None else [f"{self._what}: {error} (docs/errors.md#{error.code})"]
