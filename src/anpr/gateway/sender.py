"""The gateway: lines in, reads on a site's topic, and a disk between them for when the broker is away.

Every line is on disk before it is handed to the broker, and leaves the disk when the broker has it. Killed in
between, it is sent again on the next start; the matcher's ids make the repeat harmless. A line that the matcher will
not be able to match is said so here, by number, and sent all the same: it belongs with the dead letters, where the
site's engineers look, and not in a terminal's scroll-back.

While the disk refuses lines, because it is full, those that have been taken go to the broker without it, and no more
are taken until the broker has them. So alerts go on, and at most one chunk of the stream is neither here nor there;
whoever stops the gateway then is told its numbers.

What the broker refuses stays where it is and is handed over again, once a second, until it is taken. A line that is
too large for the topic holds up no other; where the broker refuses altogether, no more is handed over meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from anpr.contracts.topics import reads
from anpr.gateway.line_reader import LineReader
from anpr.gateway.spool import Spool
from anpr.kafka.interfaces import TOO_LARGE, Producer, UndeliveredError
from anpr.kafka.rejections import AGAIN_SECONDS, Rejections
from anpr.reads.decoder import MAX_READ_BYTES, BadRead, decode_read
from anpr.runtime import metrics
from anpr.runtime.clock import Clock
from anpr.runtime.errors import UnavailableError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_BATCH_LINES = 1000
# At their longest these take 130 MB of the client's memory.
_UNDER_WAY_LINES = 2_000
WAIT_SECONDS = 0.05


@dataclass(slots=True)
class SendCounts:
    """What has become of the lines so far."""

    sent: int = 0
    unmatchable: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Line:
    """A line on its way: its number on disk, or in the stream where the disk has refused it."""

    number: int
    key: str | None
    line: bytes
    is_on_disk: bool


class Sender:
    """Sends the lines of a stream for one site."""

    def __init__(  # noqa: PLR0913  everything it touches is handed in
        self,
        *,
        site: str,
        lines: LineReader,
        open_producer: Callable[[], Producer],
        spool: Spool,
        refusals: Rejections,
        clock: Clock,
    ) -> None:
        """What the spool holds from before goes first. After a refusal a new producer is opened."""
        self.figures = SendCounts()
        self.disk_refuses = False
        # Lines that the disk refused and the broker does not have yet, by their numbers in the stream.
        self.unkept: set[int] = set()
        self._site = site
        self._topic = reads(site)
        self._lines = lines
        self._open = open_producer
        self._producer = open_producer()
        self._spool = spool
        self._refusals = refusals
        self._refused: list[_Line] = []
        self._refused_once: set[tuple[bool, int]] = set()
        self._refused_why: UndeliveredError | None = None
        self._again_at = clock()
        self._clock = clock
        self._handed_over = 0
        self._under_way: dict[tuple[bool, int], _Line] = {}
        self._to_remove: list[int] = []
        self._on_disk = len(spool)

    @property
    def done(self) -> bool:
        """Whether the stream has ended and the broker has everything."""
        under_way = self._under_way or self._refused or self.unkept or self._to_remove
        return self._lines.ended and not under_way and not self._spool.after(self._handed_over, 1)

    @property
    def refused_to_the_end(self) -> UndeliveredError | None:
        """Why the broker refuses all that is left of a stream that has ended, None while that is not so."""
        if not self._lines.ended or self._under_way:
            return None
        is_all = self._refuses_all or not self._spool.after(self._handed_over, 1)
        return self._refused_why if is_all else None

    @property
    def is_waiting(self) -> bool:
        """Whether the broker has not answered yet for what it was handed, or lines are nowhere but here."""
        return bool(self._under_way or self.unkept)

    def run_once(self, *, is_last: bool = False) -> None:
        """Keep the lines that have come, hand over what is on disk, and let go what the broker has.

        `is_last` takes and hands over nothing new: asked to stop, what is under way is seen through.
        """
        sent_before = self.figures.sent
        if not self.unkept and not is_last:
            self._keep(self._lines.take(WAIT_SECONDS))
        if self.unkept or not is_last:
            self._hand_over()
        try:
            self._producer.flush(WAIT_SECONDS if self._lines.ended or self.unkept or is_last else 0)
        except UndeliveredError as error:  # the client is at its end, and answers for nothing any more
            for line in list(self._under_way.values()):
                self._note_answer(line, error)
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
            self._note_full_disk(error)
            self.unkept = {number for number, _, _ in fit}
            for number, key, line in fit:
                self._publish(_Line(number, key, line, is_on_disk=False))
        else:
            self._on_disk += len(fit)
            if self.disk_refuses:
                log.info("the disk takes lines again")
                self.disk_refuses = False

    def _hand_over(self) -> None:
        if self._refused and self._clock() >= self._again_at:
            if self._refuses_all:
                self._producer = self._open()
            again, self._refused, self._refused_why = self._refused, [], None
            for line in again:
                self._publish(line)
        if self._refuses_all:
            return
        room = max(0, _UNDER_WAY_LINES - len(self._under_way) - len(self._refused))
        for spooled in self._spool.after(self._handed_over, min(_BATCH_LINES, room)):
            self._handed_over = spooled.number
            self._publish(_Line(*spooled, is_on_disk=True))

    @property
    def _refuses_all(self) -> bool:
        return self._refused_why is not None and self._refused_why.code != TOO_LARGE

    def _publish(self, line: _Line) -> None:
        self._under_way[line.is_on_disk, line.number] = line
        self._producer.produce(
            self._topic,
            line.key,
            line.line,
            on_delivery=partial(self._note_answer, line),
        )

    def _let_go(self) -> None:
        try:
            self._spool.remove(self._to_remove)
        except UnavailableError as error:
            self._note_full_disk(error)
            if len(self._to_remove) < self._on_disk:
                return  # tried again at the next turn; killed before, they are sent again
            self._spool.start_anew()
            self._handed_over = 0
        self._on_disk -= len(self._to_remove)
        self._to_remove.clear()

    def _note_answer(self, line: _Line, why_not: UndeliveredError | None) -> None:
        if self._under_way.pop((line.is_on_disk, line.number), None) is None:
            return  # an answer of a client that was given up, about a line that goes again
        if why_not is not None:
            self._note_refusal(line, why_not)
            return
        self.figures.sent += 1
        if self._refused_once:
            self._refused_once.discard((line.is_on_disk, line.number))
            if not self._refused_once:
                self._refusals.over()
        if line.is_on_disk:
            self._to_remove.append(line.number)
        else:
            self.unkept.discard(line.number)

    def _note_refusal(self, line: _Line, error: UndeliveredError) -> None:
        self._refusals.note(error)
        self._refused_once.add((line.is_on_disk, line.number))
        self._refused.append(line)
        if not self._refuses_all:  # of several refusals the one counts that says most: that nothing is taken
            self._refused_why = error
        self._again_at = self._clock() + timedelta(seconds=AGAIN_SECONDS)

    def _note_full_disk(self, error: UnavailableError) -> None:
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
