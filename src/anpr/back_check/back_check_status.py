"""Tells the boards that newly listed vehicles are looked for, and how many records are left to go through."""

import time
from collections.abc import Callable

from anpr.back_check.back_check import BackCheck
from anpr.contracts import topics
from anpr.contracts.events import encode
from anpr.kafka.delivery_errors import RejectedError
from anpr.kafka.interfaces import Producer

# Boards wait for longer (`BACK_CHECK_GONE_AFTER`).
_TELL_EVERY_SECONDS = 20.0
# Where lists change all the time, a search ends in every loop.
_TELL_AGAIN_AFTER_SECONDS = 1.0


class BackCheckStatusPublisher:
    """Publishes to the status topic of the site. It waits for nothing: to look for vehicles is what counts."""

    def __init__(
        self,
        site: str,
        producer: Producer,
        note_refusal: Callable[[RejectedError], None],
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """`note_refusal` gets what the broker says when it refuses a status."""
        self._site = site
        self._producer = producer
        self._note_refusal = note_refusal
        self._stopwatch = stopwatch
        self._told_at = -_TELL_EVERY_SECONDS
        self._was_behind = False

    def publish_when_due(self, back_check: BackCheck) -> None:
        """Publish how far a back-check is, if that is due or it has just caught up. Call it again and again."""
        now = self._stopwatch()
        is_behind = bool(back_check.progress.searches)
        has_caught_up = self._was_behind and not is_behind
        if now >= self._told_at + (_TELL_AGAIN_AFTER_SECONDS if has_caught_up else _TELL_EVERY_SECONDS):
            self._told_at, self._was_behind = now, is_behind
            status = back_check.status(self._site)
            # No matcher's name is its key: a matcher's status is found by that.
            self._producer.produce(topics.status(self._site), None, encode(status), on_delivery=self._note)
        self._producer.flush(0)

    def _note(self, error: RejectedError | None) -> None:
        if error is not None:
            self._note_refusal(error)
