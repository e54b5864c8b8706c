"""The gateway: lines in, reads on a site's topic, and a disk between them for when the broker is away.

Every line is on disk before it is handed to the broker, and leaves the disk when the broker has it. Killed in
between, it is sent again on the next start; the matcher's ids make the repeat harmless. A line that the matcher will
not be able to match is said so here, by number, and sent all the same: it belongs with the dead letters, where the
site's engineers look, and not in a terminal's scroll-back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from anpr import metrics
from anpr.adapters.records import Publisher
from anpr.adapters.spool import Spool
from anpr.clock import Clock
from anpr.intake import MAX_READ_BYTES, BadRead, decode_read
from anpr.services.lines import Lines
from anpr.topics import reads

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

    def __init__(  # noqa: PLR0913  everything it touches is handed in
        self,
        *,
        site: str,
        lines: Lines,
        publisher: Publisher,
        spool: Spool,
        clock: Clock,
        complain: Callable[[str], None],
    ) -> None:
        """`complain` is told of each bad line, by number and reason."""
        self.figures = Sent()
        self._site = site
        self._lines = lines
        self._publisher = publisher
        self._spool = spool
        self._clock = clock
        self._complain = complain
        self._handed_over = 0
        self._under_way = 0
        self._delivered: list[int] = []
        self._on_disk = len(spool)

    @property
    def done(self) -> bool:
        """Whether the stream has ended and the broker has everything."""
        return self._lines.ended and self._under_way == 0 and not self._spool.after(self._handed_over, 1)

    def turn(self) -> None:
        """Keep the lines that have come, hand over what is on disk, and let go what the broker has."""
        lines = [numbered for numbered in self._lines.take(WAIT_SECONDS) if self._is_fit(*numbered)]
        self._spool.put([self._keyed(number, line) for number, line in lines])
        for spooled in self._spool.after(self._handed_over, min(_BATCH_LINES, _UNDER_WAY_LINES - self._under_way)):
            self._handed_over = spooled.number
            self._under_way += 1
            self._publisher.publish(
                reads(self._site),
                spooled.key,
                spooled.line,
                on_delivered=partial(self._delivered.append, spooled.number),
            )
        self._publisher.flush(WAIT_SECONDS if self._lines.ended else 0)
        self._spool.remove(self._delivered)
        self._under_way -= len(self._delivered)
        self.figures.sent += len(self._delivered)
        self._on_disk += len(lines) - len(self._delivered)
        metrics.SENT.labels(self._site).inc(len(self._delivered))
        metrics.SPOOLED.labels(self._site).set(self._on_disk)
        self._delivered.clear()

    def _is_fit(self, number: int, line: bytes) -> bool:
        if len(line.strip()) <= MAX_READ_BYTES:
            return True
        self.figures.refused += 1
        metrics.REFUSED_LINES.labels(self._site).inc()
        self._complain(f"line {number}: longer than {MAX_READ_BYTES} bytes; that is no read, so it was not sent")
        return False

    def _keyed(self, number: int, line: bytes) -> tuple[str | None, bytes]:
        line = line.strip()
        try:
            return decode_read(line, self._site, self._clock()).camera, line
        except BadRead as error:
            self.figures.unmatchable += 1
            metrics.UNMATCHABLE.labels(self._site).inc()
            self._complain(f"line {number}: {error}; sent, and bound for the dead letters")
            return None, line
