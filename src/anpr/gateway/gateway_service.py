"""The gateway as a service on a real broker: it sends until its stream ends or it is asked to stop."""

import math
import threading
import time
from typing import BinaryIO

from anpr.contracts import topics
from anpr.gateway.line_reader import LineReader
from anpr.gateway.sender import SendCounts, Sender
from anpr.gateway.spool import Spool
from anpr.kafka.broker_errors import refused
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.rejections import Rejections
from anpr.reads.decoder import MAX_READ_BYTES
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import InputError, UnavailableError
from anpr.runtime.health import BROKER_ANSWER_SECONDS, Health
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings

log = get_logger(__name__)

PROGRESS_EVERY_SECONDS = 2
# After a request to stop, the gateway waits this long for the broker to acknowledge the lines in flight.
GIVE_UP_SECONDS = 5
# Gathers a camera's frames into one request. Measured: the broker saves more time than the wait costs.
LINGER_MS = 2


class GatewayService:
    """One gateway process of a site. `health` says why it is not ready, from any thread."""

    def __init__(self, settings: Settings, site: str, spool: Spool, stream: BinaryIO, stop: threading.Event) -> None:
        """Send the lines of the spool, then those of the stream, until `stop` is set."""
        self.health = Health("send", self._why_not_ready)
        self._site = site
        self._spool = spool
        self._stream = stream
        self._stop = stop
        self._broker = settings.sites[site].kafka
        self._lines = LineReader(stream.fileno(), MAX_READ_BYTES)
        self._rejections = Rejections(f"the broker at {self._broker} refuses reads of {site}")
        self._sender = Sender(
            site=site,
            lines=self._lines,
            open_producer=self._open_producer,
            spool=spool,
            rejections=self._rejections,
            clock=system_clock,
        )

    def run(self) -> SendCounts:
        """Send until the stream ends or it is time to stop. Raises AnprError that says where lines are left."""
        if waiting := len(self._spool):
            log.info("lines from the last run are sent first", on_disk=waiting)
        try:
            self._send()
        except OSError as error:
            raise InputError(
                "reads-unreadable",
                f"{self._stream.name}: {error.strerror or error}",
                "the lines read so far are safe; repair the file or the pipe, and send the rest",
            ) from None
        self._check_nothing_is_left()
        if self._lines.partial_line.strip() and self._stop.is_set():
            log.warning("the last line was incomplete at the stop and was not sent")
        return self._sender.counts

    def _send(self) -> None:
        report_at = time.monotonic() + PROGRESS_EVERY_SECONDS
        give_up_at = math.inf
        while not (self._sender.is_done or self._sender.final_rejection) and time.monotonic() < give_up_at:
            if self._stop.is_set():
                if not self._sender.is_waiting:
                    return
                give_up_at = min(give_up_at, time.monotonic() + GIVE_UP_SECONDS)
            self.health.heartbeat()
            self._sender.run_once(is_stopping=self._stop.is_set())
            if time.monotonic() >= report_at:
                report_at = time.monotonic() + PROGRESS_EVERY_SECONDS
                if waiting := len(self._spool):
                    log.info("lines wait for the broker", sent=self._sender.counts.sent, on_disk=waiting)

    def _check_nothing_is_left(self) -> None:
        """Raise UnavailableError when the broker rejects the lines that are left, or lines are not even on disk."""
        is_stopped_early = self._stop.is_set() and len(self._spool) > 0
        rejection = self._rejections.current if is_stopped_early else self._sender.final_rejection
        if rejection:
            left = f"lines that stay on disk and go first on the next start: {len(self._spool)}{self._lost_lines()}"
            raise refused(f"the broker refuses reads of {self._site}, {left}", rejection)
        if self._sender.unspooled:
            raise UnavailableError(
                "lines-not-kept",
                f"the gateway was stopped while the disk refused lines and the broker was away{self._lost_lines()}",
                "make space on the disk, then send these lines again",
            )

    def _lost_lines(self) -> str:
        """Return which lines of the stream are neither on disk nor with the broker, "" when there are none."""
        numbers = self._sender.unspooled
        if not numbers:
            return ""
        return f"; lines {min(numbers)} to {max(numbers)} of the stream are neither on disk nor with the broker"

    def _open_producer(self) -> KafkaProducer:
        self._producer = KafkaProducer(self._broker, LINGER_MS)
        return self._producer

    def _why_not_ready(self) -> list[str]:
        """Return why this gateway is not ready."""
        missing = self._rejections.why_not_ready()
        if not missing and (problem := self._producer.problem(topics.reads(self._site), BROKER_ANSWER_SECONDS)):
            missing.append(f"the broker at {self._broker} {problem}")
        if self._sender.is_disk_refusing:
            missing.append("the disk refuses lines")
        return missing
