"""The gateway's loop: lines in, reads on a site's topic, and a spool on disk for when the broker is away.

Every line is spooled before it is sent, and is removed from the spool when the broker has acknowledged it. A gateway
that is killed in between sends the line again at the next start; the alert ids make the repeat harmless. A line that
no matcher can match is logged by number and sent all the same: it belongs with the dead letters, where the site's
engineers look, and not only in the log of one terminal.

While the disk refuses lines, for example because it is full, the lines that were already read go to the broker
without it, and no more lines are read until the broker has them. So alerts continue, and at most one chunk of the
stream is neither on disk nor with the broker. When the gateway is stopped at such a moment, it reports those lines by
number.

A line that the broker rejects stays where it is and is sent again once a second until the broker accepts it. A line
that is too large for the topic does not delay the others. While the broker rejects every line, no new lines are sent.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from anpr.contracts.topics import reads
from anpr.gateway.line_reader import LineReader
from anpr.gateway.spool import Spool
from anpr.kafka.delivery_errors import TOO_LARGE, UndeliveredError
from anpr.kafka.interfaces import Producer
from anpr.kafka.rejections import RETRY_SECONDS, Rejections
from anpr.reads.decoder import MAX_READ_BYTES, BadRead, decode_read
from anpr.runtime import metrics
from anpr.runtime.clock import Clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_BATCH_LINES = 1000
# Lines of the greatest length take 130 MB of the Kafka client's memory at this limit.
_MAX_IN_FLIGHT = 2_000
WAIT_SECONDS = 0.05


@dataclass(slots=True)
class SendCounts:
    """How many lines have been sent or refused so far.

    Attributes:
        sent: Lines that the broker has acknowledged.
        unmatchable: Lines that were sent although no matcher can match them.
        refused: Lines that were too long to send.
    """

    sent: int = 0
    unmatchable: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Line:
    """A line to send. `number` counts in the spool, or in the stream when the disk has refused the line."""

    number: int
    key: str | None
    content: bytes
    is_spooled: bool

    @property
    def id(self) -> tuple[bool, int]:
        return self.is_spooled, self.number


class Sender:
    """Sends the lines of a stream for one site.

    Attributes:
        counts: How many lines have been sent or refused so far.
        is_disk_refusing: Whether the disk refused the last change to the spool.
        unspooled: The numbers in the stream of lines that the disk refused and the broker has not acknowledged.
    """

    def __init__(  # noqa: PLR0913  everything that it touches is handed in
        self,
        *,
        site: str,
        lines: LineReader,
        open_producer: Callable[[], Producer],
        spool: Spool,
        rejections: Rejections,
        clock: Clock,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """Lines that are in the spool already are sent first. After a rejection `open_producer` is called again."""
        self.counts = SendCounts()
        self.is_disk_refusing = False
        self.unspooled: set[int] = set()
        self._site = site
        self._topic = reads(site)
        self._lines = lines
        self._open_producer = open_producer
        self._producer = open_producer()
        self._spool = spool
        self._rejections = rejections
        self._clock = clock
        self._in_flight: dict[tuple[bool, int], _Line] = {}
        self._rejected: list[_Line] = []  # to be sent again at `_resend_at`
        self._stopwatch = stopwatch
        self._resend_at = stopwatch()
        self._rejection: UndeliveredError | None = None  # why; the most serious one of `_rejected`
        self._unaccepted: set[tuple[bool, int]] = set()  # rejected at least once, and not accepted since
        self._last_sent_number = 0  # in the spool
        self._acknowledged: list[int] = []  # numbers in the spool, to be removed from it
        self._spooled = len(spool)

    @property
    def is_done(self) -> bool:
        """Whether the stream has ended and the broker has every line."""
        unfinished = self._in_flight or self._rejected or self.unspooled or self._acknowledged
        return self._lines.has_ended and not unfinished and not self._has_unsent_lines()

    @property
    def final_rejection(self) -> UndeliveredError | None:
        """Why the broker rejects every line that is left of a stream that has ended; None in all other cases."""
        if not self._lines.has_ended or self._in_flight:
            return None
        is_final = self._is_everything_rejected or not self._has_unsent_lines()
        return self._rejection if is_final else None

    @property
    def is_waiting(self) -> bool:
        """Whether lines are in flight to the broker, or are neither on disk nor with the broker."""
        return bool(self._in_flight or self.unspooled)

    def run_once(self, *, is_stopping: bool = False) -> None:
        """Spool the lines that have come, send spooled lines, and remove the lines that the broker has acknowledged.

        With `is_stopping`, read and send no new lines: only wait for the broker to acknowledge the lines in flight.
        """
        sent_before = self.counts.sent
        if not self.unspooled and not is_stopping:
            self._spool_lines(self._lines.read_lines(WAIT_SECONDS))
        if self.unspooled or not is_stopping:
            self._resend_rejected()
            self._send_spooled()
        try:
            self._producer.flush(WAIT_SECONDS if self._lines.has_ended or self.unspooled or is_stopping else 0)
        except UndeliveredError as error:  # the Kafka client has failed for good and will report no more deliveries
            for line in list(self._in_flight.values()):
                self._on_delivery(line, error)
        self._remove_acknowledged()
        metrics.SENT.labels(self._site).inc(self.counts.sent - sent_before)
        metrics.SPOOLED.labels(self._site).set(self._spooled)

    def _spool_lines(self, lines: Sequence[tuple[int, bytes]]) -> None:
        """Put lines on disk. If the disk refuses them, send them immediately."""
        sendable = [(number, *self._with_key(number, line)) for number, line in lines if self._is_short(number, line)]
        if not sendable:
            return
        try:
            self._spool.append([(key, line) for _, key, line in sendable])
        except UnavailableError as error:
            self._report_disk(error)
            self.unspooled = {number for number, _, _ in sendable}
            for number, key, line in sendable:
                self._send(_Line(number, key, line, is_spooled=False))
        else:
            self._spooled += len(sendable)
            if self.is_disk_refusing:
                log.info("the disk accepts lines again")
                self.is_disk_refusing = False

    def _resend_rejected(self) -> None:
        if not self._rejected or self._stopwatch() < self._resend_at:
            return
        if self._is_everything_rejected:
            self._producer = self._open_producer()
        lines, self._rejected, self._rejection = self._rejected, [], None
        for line in lines:
            self._send(line)

    def _send_spooled(self) -> None:
        if self._is_everything_rejected:
            return
        room = max(0, _MAX_IN_FLIGHT - len(self._in_flight) - len(self._rejected))
        for spooled in self._spool.lines_after(self._last_sent_number, min(_BATCH_LINES, room)):
            self._last_sent_number = spooled.number
            self._send(_Line(*spooled, is_spooled=True))

    def _has_unsent_lines(self) -> bool:
        return bool(self._spool.lines_after(self._last_sent_number, 1))

    @property
    def _is_everything_rejected(self) -> bool:
        return self._rejection is not None and self._rejection.code != TOO_LARGE

    def _send(self, line: _Line) -> None:
        self._in_flight[line.id] = line
        self._producer.produce(self._topic, line.key, line.content, on_delivery=partial(self._on_delivery, line))

    def _remove_acknowledged(self) -> None:
        try:
            self._spool.remove(self._acknowledged)
        except UnavailableError as error:
            self._report_disk(error)
            if len(self._acknowledged) < self._spooled:
                return  # tried again on the next pass; a gateway killed before that sends these lines again
            self._spool.recreate()
            self._last_sent_number = 0
        self._spooled -= len(self._acknowledged)
        self._acknowledged.clear()

    def _on_delivery(self, line: _Line, error: UndeliveredError | None) -> None:
        if self._in_flight.pop(line.id, None) is None:
            return  # a late report from a Kafka client that was replaced: the line is being sent again
        if error is not None:
            self._on_rejection(line, error)
            return
        self.counts.sent += 1
        if self._unaccepted:
            self._unaccepted.discard(line.id)
            if not self._unaccepted:
                self._rejections.clear()
        if line.is_spooled:
            self._acknowledged.append(line.number)
        else:
            self.unspooled.discard(line.number)

    def _on_rejection(self, line: _Line, error: UndeliveredError) -> None:
        self._rejections.note(error)
        self._unaccepted.add(line.id)
        self._rejected.append(line)
        if not self._is_everything_rejected:  # a rejection of every line outweighs one of a line that is too large
            self._rejection = error
        self._resend_at = self._stopwatch() + RETRY_SECONDS

    def _report_disk(self, error: UnavailableError) -> None:
        if not self.is_disk_refusing:
            log.error("the disk refuses lines, they go to the broker without it", reason=str(error))
        self.is_disk_refusing = True

    def _is_short(self, number: int, line: bytes) -> bool:
        """Return whether a line may be sent. One that is longer than any read is counted and logged instead."""
        if len(line.strip()) <= MAX_READ_BYTES:
            return True
        self.counts.refused += 1
        metrics.REFUSED_LINES.labels(self._site).inc()
        log.warning("line refused: longer than any read", line=number, longest_bytes=MAX_READ_BYTES)
        return False

    def _with_key(self, number: int, line: bytes) -> tuple[str | None, bytes]:
        """Return a line with its key: the camera, so that the reads of a camera stay in order."""
        line = line.strip()
        try:
            return decode_read(line, self._site, self._clock()).camera, line
        except BadRead as error:
            self.counts.unmatchable += 1
            metrics.UNMATCHABLE.labels(self._site).inc()
            log.warning("line cannot be matched, it will be a dead letter", line=number, reason=error.reason)
            return None, line
