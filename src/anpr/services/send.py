"""The gateway: lines in, reads on a site's topic, and a disk between them for when the broker is away.

Every line is on disk before it is handed to the broker, and leaves the disk when the broker has it. Killed in
between, it is sent again on the next start; the matcher's ids make the repeat harmless. A line that the matcher will
not be able to match is said so here, by number, and sent all the same: it belongs with the dead letters, where the
site's engineers look, and not in a terminal's scroll-back.

While the disk refuses lines, because it is full, those that have been taken go to the broker without it, and no more
are taken until the broker has them. So alerts go on, and at most one chunk of the stream is neither here nor there;
whoever stops the gateway then is told its numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from anpr import metrics
from anpr.adapters.records import Publisher
from anpr.adapters.spool import Spool
from anpr.clock import Clock
from anpr.errors import UnavailableError
from anpr.intake import MAX_READ_BYTES, BadRead, decode_read
from anpr.logs import get_logger
from anpr.services.lines import Lines
from anpr.topics import reads

log = get_logger(__name__)

_BATCH_LINES = 1000
# At their longest these take 130 MB of the client's memory.
_UNDER_WAY_LINES = 2_000
WAIT_SECONDS = 0.05


@dataclass(slots=True)
class Sent:
    """What has become of the lines so far."""

    sent: int = 0
    unmatchable: int = 0
    refused: int = 0


class Sender:
    """Sends the lines of a stream for one site."""

    def __init__(self, *, site: str, lines: Lines, publisher: Publisher, spool: Spool, clock: Clock) -> None:
        """What the spool holds from before goes first."""
        self.figures = Sent()
        self.disk_refuses = False
        # Lines that the disk refused and the broker does not have yet, by their numbers in the stream.
        self.unkept: set[int] = set()
        self._site = site
        self._topic = reads(site)
        self._lines = lines
        self._publisher = publisher
        self._spool = spool
        self._clock = clock
        self._handed_over = 0
        self._under_way = 0
        self._to_remove: list[int] = []
        self._on_disk = len(spool)

    @property
    def done(self) -> bool:
        """Whether the stream has ended and the broker has everything."""
        under_way = self._under_way or self.unkept or self._to_remove
        return self._lines.ended and not under_way and not self._spool.after(self._handed_over, 1)

    def turn(self) -> None:
        """Keep the lines that have come, hand over what is on disk, and let go what the broker has."""
        sent_before = self.figures.sent
        if not self.unkept:
            self._keep(self._lines.take(WAIT_SECONDS))
        for spooled in self._spool.after(self._handed_over, min(_BATCH_LINES, _UNDER_WAY_LINES - self._under_way)):
            self._handed_over = spooled.number
            self._under_way += 1
            self._publisher.publish(
                self._topic, spooled.key, spooled.line, on_delivered=partial(self._note_delivery, spooled.number)
            )
        self._publisher.flush(WAIT_SECONDS if self._lines.ended or self.unkept else 0)
        self._let_go()
        metrics.SENT.labels(self._site).inc(self.figures.sent - sent_before)
        metrics.SPOOLED.labels(self._site).set(self._on_disk)

    def _keep(self, lines: Sequence[tuple[int, bytes]]) -> None:
        fit = [(number, *self._keyed(number, line)) for number, line in lines if self._is_fit(number, line)]
        if not fit:
            return
        try:
            self._spool.put([(key, line) for _, key, line in fit])
        except UnavailableError as error:
            self._note_refusal(error)
            self.unkept = {number for number, _, _ in fit}
            for number, key, line in fit:
                self._publisher.publish(
                    self._topic, key, line, on_delivered=partial(self._note_unkept_delivery, number)
                )
        else:
            self._on_disk += len(fit)
            if self.disk_refuses:
                log.info("the disk takes lines again")
                self.disk_refuses = False

    def _let_go(self) -> None:
        try:
            self._spool.remove(self._to_remove)
        except UnavailableError as error:
            self._note_refusal(error)
            if len(self._to_remove) < self._on_disk:
                return  # tried again at the next turn; killed before, they are sent again
            self._spool.start_anew()
            self._handed_over = 0
        self._on_disk -= len(self._to_remove)
        self._to_remove.clear()

    def _note_delivery(self, spooled: int) -> None:
        self._under_way -= 1
        self._to_remove.append(spooled)
        self.figures.sent += 1

    def _note_unkept_delivery(self, number: int) -> None:
        self.unkept.discard(number)
        self.figures.sent += 1

    def _note_refusal(self, error: UnavailableError) -> None:
        if not self.disk_refuses:
            log.error("the disk refuses lines, they go to the broker without it", reason=str(error))
        self.disk_refuses = True

    def _is_fit(self, number: int, line: bytes) -> bool:
        if len(line.strip()) <= MAX_READ_BYTES:
            return True
        self.figures.refused += 1
        metrics.REFUSED_LINES.labels(self._site).inc()
        log.warning("line refused: no read is so long", line=number, longest_bytes=MAX_READ_BYTES)
        return False

    def _keyed(self, number: int, line: bytes) -> tuple[str | None, bytes]:
        line = line.strip()
        try:
            return decode_read(line, self._site, self._clock()).camera, line
        except BadRead as error:
            self.figures.unmatchable += 1
            metrics.UNMATCHABLE.labels(self._site).inc()
            log.warning("line cannot be matched, bound for the dead letters", line=number, reason=error.reason)
            return None, line
