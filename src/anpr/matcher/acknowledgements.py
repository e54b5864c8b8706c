"""Waits for the broker's acknowledgements, and logs when the broker stops and starts answering."""

from collections.abc import Callable

from anpr.kafka.delivery_errors import UndeliveredError
from anpr.kafka.interfaces import Producer
from anpr.matcher.environment import Lifecycle
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_FLUSH_SECONDS = 1.0
# A matcher that is stopped while the broker is away waits this long for its last alerts. Then it ends, and leaves the
# reads of the batch uncommitted for the next owner of its partitions.
GIVE_UP_AFTER_SECONDS = 5.0
# A broker that hangs does not break the connection, so the Kafka client reports no error.
REPORT_NO_ANSWER_AFTER_SECONDS = 5.0


class Acknowledgements:
    """The records that a producer has sent and the broker has not acknowledged."""

    def __init__(self, producer: Producer, lifecycle: Lifecycle, stopwatch: Callable[[], float]) -> None:
        """Watch the records of this producer."""
        self._producer = producer
        self._lifecycle = lifecycle
        self._stopwatch = stopwatch
        self._unanswered_since: float | None = None
        self._is_reported = False

    def pending(self) -> int:
        """Return how many records have no acknowledgement yet, without waiting. Raises UndeliveredError."""
        pending = self._producer.flush(0)
        self._report_silence(pending, self._stopwatch())
        return pending

    def wait_for_all(self) -> None:
        """Wait until the broker has every record. Raises UndeliveredError: the reads must then not be committed."""
        give_up_at: float | None = None
        while pending := self._producer.flush(_FLUSH_SECONDS):
            self._lifecycle.heartbeat()
            now = self._stopwatch()
            self._report_silence(pending, now)
            if give_up_at is None and self._lifecycle.is_stopping():
                give_up_at = now + GIVE_UP_AFTER_SECONDS
            if give_up_at is not None and now > give_up_at:
                raise UndeliveredError(f"the matcher was stopped before the broker acknowledged {pending} records")

    def _report_silence(self, pending: int, now: float) -> None:
        """Log once that the broker has acknowledged nothing for some time, and once that it answers again."""
        if not pending:
            if self._is_reported:
                log.info("the broker answers again")
            self._unanswered_since, self._is_reported = None, False
            return
        if self._unanswered_since is None:
            self._unanswered_since = now
        if now - self._unanswered_since > REPORT_NO_ANSWER_AFTER_SECONDS and not self._is_reported:
            log.warning("the broker does not answer, waiting for it", code="kafka-unavailable", records=pending)
            self._is_reported = True
