"""The matcher: reads of one site in, alerts out.

Theory of operation. One turn takes what is there, matches it against the index of the moment, publishes what that
brought, waits until the broker has all of it, and only then commits the reads. Killed at any point, the reads of the
turn are taken again by whoever has the partitions next, and bring alerts of the same ids: nothing is lost and
nothing counts twice. A turn that finds one read is over in the time of two round trips; one that finds five hundred
matches them together. Nothing is kept between turns but figures for the status.

What the broker refuses is not committed either: the matcher starts again from what is, until it is taken. Only an
alert that is too large for its topic must not keep those behind it: its read goes to the dead letters, from where it
can be sent again. A covert one waits all the same, for the dead letters are open to more people than it is.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from anpr.contracts import canary, topics
from anpr.contracts.events import Alert, Correction, Read, Status, encode
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.interfaces import REPLAYED, TOO_LARGE, Consumer, Producer, Record, UndeliveredError
from anpr.matcher.alerts import raise_alerts
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.reads.decoder import ALERT_TOO_LARGE, BadRead, decode_read
from anpr.runtime.clock import Clock
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_Bad = tuple[Record, BadRead]
_Refused = tuple[Alert, UndeliveredError]

WAIT_SECONDS = 0.1
# A broker bounds what is sent to it compressed, so a record can be far larger than any that is sent again. Of such a
# one the beginning is kept, with its length and digest: no record may keep those behind it from being matched.
MAX_DEADLETTER_BYTES = 1_000_000
STATUS_EVERY = timedelta(seconds=1)
# Asked to stop while the broker is away, a matcher waits this long for its last alerts, then leaves the reads of
# the turn uncommitted for whoever comes next.
GIVE_UP_AFTER = timedelta(seconds=5)
# A broker that hangs breaks no connection, so no client says a word of it.
SAY_NO_ANSWER_AFTER = timedelta(seconds=5)


class Matcher:
    """One process's share of a site's reads."""

    def __init__(  # noqa: PLR0913  everything it touches is handed in
        self,
        *,
        site: str,
        name: str,
        consumer: Consumer,
        producer: Producer,
        held: Callable[[], ActiveIndex | None],
        clock: Clock,
        stopping: Callable[[], bool],
        figures: MatcherMetrics,
        beat: Callable[[], None],
        is_well: Callable[[], None],
        batch_reads: int,
        late_after: timedelta,
        rest: Callable[[float], None] = time.sleep,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`held` returns the index of the moment; `stopping` tells when to finish; `rest` waits so many seconds.

        `beat` is called whenever the loop goes on, also while it waits for the broker; `is_well` when no read waits
        here, and the broker has acknowledged all that was published: then it refuses nothing of this work.
        """
        self._site = site
        self._name = name
        self._consumer = consumer
        self._producer = producer
        self._held = held
        self._clock = clock
        self._stopping = stopping
        self._batch_reads = batch_reads
        self._late_after = late_after
        self._rest = rest
        self._stopwatch = stopwatch
        self._figures = figures
        self._beat = beat
        self._is_well = is_well
        self._has_told = False
        self._unanswered_since: datetime | None = None
        self._is_unanswered = False
        self._next_status = figures.started_at

    def run(self) -> None:
        """Match until it is time to stop."""
        while not self._stopping():
            self.run_once()
        self._tell(self._held(), self._clock(), has_left=True)
        self._producer.flush(WAIT_SECONDS)

    def run_once(self) -> None:
        """Take what is there and see it through. Without a list nothing is taken, for it could not be matched."""
        self._beat()
        held = self._held()
        if held is None:
            self._rest(WAIT_SECONDS)
        elif records := self._consumer.poll(self._batch_reads, WAIT_SECONDS):
            # A newer list may have come while it waited for reads.
            self._see_through(records, self._held() or held)
        self._report(self._held())

    def _see_through(self, records: Sequence[Record], held: ActiveIndex) -> None:
        began = self._stopwatch()
        taken, bad = self._decode(records)
        reads = [read for _, read in taken]
        facts = raise_alerts(reads, held.index, self._clock(), self._late_after)
        # The canary is in no count: a figure of it would be a figure of nothing.
        reads = [read for read in reads if not canary.is_canary_read(read)]
        self._figures.matched(reads, len(records), self._stopwatch() - began)
        refused = self._publish(facts)
        self._put_aside(bad)
        self._flush()
        if refused:
            too_large = self._too_large(refused, taken)
            self._put_aside(too_large)
            self._flush()
            bad += too_large
        published_at = self._clock()
        self._consumer.commit(records)
        not_written = {alert.alert_id for alert, _ in refused}
        alerts = [
            fact
            for fact in facts
            if isinstance(fact, Alert) and not canary.is_canary(fact) and fact.alert_id not in not_written
        ]
        self._figures.published(len(reads), alerts, [error for _, error in bad], published_at)

    def _decode(self, records: Sequence[Record]) -> tuple[list[tuple[Record, Read]], list[_Bad]]:
        taken: list[tuple[Record, Read]] = []
        bad: list[_Bad] = []
        for record in records:
            try:
                read = decode_read(record.value, self._site, record.arrived_at)
            except BadRead as error:
                bad.append((record, error))
            else:
                taken.append((record, read))
                if read.clock_suspect:
                    self._figures.note_suspect(read, record.value)
        return taken, bad

    def _publish(self, facts: Sequence[Alert | Correction]) -> list[_Refused]:
        """Hand the facts over; return where the alerts will be that the broker turns out not to take."""
        refused: list[_Refused] = []
        for fact in facts:
            if isinstance(fact, Alert):

                def note(why_not: UndeliveredError | None, alert: Alert = fact) -> None:
                    if why_not is not None:
                        refused.append((alert, why_not))

                self._producer.produce(topics.of_alert(fact), fact.plate, encode(fact), on_delivery=note)
            else:
                self._producer.produce(topics.alerts(self._site), None, encode(fact))
        return refused

    def _too_large(self, refused: Sequence[_Refused], taken: Sequence[tuple[Record, Read]]) -> list[_Bad]:
        """Return the records whose alerts are too large. Raises UndeliveredError of what is refused otherwise."""
        why: dict[str, str] = {}
        for alert, error in refused:
            if error.code != TOO_LARGE or alert.is_covert:
                raise error
            if not canary.is_canary(alert):  # it does not come back, and that shows
                why[alert.read.read_id] = str(error)
        if why:
            log.error("alerts are too large, their reads are put aside", code=TOO_LARGE, reads=len(why))
        return [
            (record, BadRead(ALERT_TOO_LARGE, why[read.read_id])) for record, read in taken if read.read_id in why
        ]

    def _put_aside(self, bad: Sequence[_Bad]) -> None:
        """Hand dead letters over."""
        for record, error in bad:
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            headers = {"reason": error.reason, "detail": error.detail, **place}
            value = record.value or b""
            if len(value) > MAX_DEADLETTER_BYTES:
                headers |= {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
            if record.is_replayed:
                headers[REPLAYED] = "1"
            self._producer.produce(
                topics.deadletters(self._site),
                None,
                value[:MAX_DEADLETTER_BYTES],
                {name: str(value).encode() for name, value in headers.items()},
            )

    def _flush(self) -> None:
        """Wait until the broker has everything. Raises UndeliveredError: the reads must not be committed then."""
        give_up_at: datetime | None = None
        while waiting := self._producer.flush(1.0):
            self._beat()
            now = self._clock()
            self._note_unanswered(waiting, now)
            give_up_at = give_up_at or (now + GIVE_UP_AFTER if self._stopping() else None)
            if give_up_at is not None and now > give_up_at:
                raise UndeliveredError(f"{waiting} records not with the broker when asked to stop")

    def _note_unanswered(self, waiting: int, now: datetime) -> None:
        """Log that the broker has acknowledged nothing for some time, once, and that it does again."""
        if not waiting:
            if self._is_unanswered:
                log.info("the broker answers again")
            self._unanswered_since, self._is_unanswered = None, False
            return
        self._unanswered_since = self._unanswered_since or now
        if now - self._unanswered_since > SAY_NO_ANSWER_AFTER and not self._is_unanswered:
            log.warning("the broker does not answer, waiting for it", code="kafka-unavailable", records=waiting)
            self._is_unanswered = True

    def _report(self, held: ActiveIndex | None) -> None:
        now = self._clock()
        if now < self._next_status:
            return
        self._next_status = now + STATUS_EVERY
        partitions, lag = self._consumer.partition_count(), self._consumer.lag()
        waiting = self._producer.flush(0)
        self._note_unanswered(waiting, now)
        if partitions and lag == 0 and self._has_told and not waiting:
            self._is_well()
        self._tell(held, now, partitions=partitions, lag=lag)
        self._producer.flush(0)  # a road may be quiet for long, and a refusal must show all the same
        self._has_told = True
        # Uncommitted leftovers of a commit that was refused go again, so that a quiet road ends with no lag.
        self._consumer.commit([])

    def _tell(
        self,
        held: ActiveIndex | None,
        now: datetime,
        *,
        partitions: int = 0,
        lag: int | None = None,
        has_left: bool = False,
    ) -> None:
        counts = self._figures.counts
        status = Status(
            site=self._site,
            matcher=self._name,
            at=now,
            started_at=self._figures.started_at,
            generation=held.index.generation if held else None,
            entries=held.index.size if held else 0,
            list_applied_at=held.applied_at if held else None,
            list_confirmed_at=held.confirmed_at if held else None,
            reads=counts["reads"],
            alerts=counts["alerts"],
            dead_letters=counts["dead_letters"],
            dropped_fields=counts["dropped_fields"],
            alerts_too_large=counts["alerts_too_large"],
            partitions=partitions,
            lag=lag,
            cameras=self._figures.cameras,
            clock_offset_seconds=self._figures.clock_offset_seconds(),
            has_left=has_left,
        )
        self._producer.produce(topics.status(self._site), self._name, encode(status))
        self._figures.told(status)
