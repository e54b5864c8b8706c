"""The matcher: reads of one site in, alerts out.

Theory of operation. One turn takes what is there, matches it against the index of the moment, publishes what that
brought, waits until the broker has all of it, and only then commits the reads. Killed at any point, the reads of the
turn are taken again by whoever has the partitions next, and bring alerts of the same ids: nothing is lost and
nothing counts twice. A turn that finds one read is over in the time of two round trips; one that finds five hundred
matches them together. Nothing is kept between turns but figures for the status.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from anpr import topics
from anpr.adapters.records import Publisher, Record, Source, UndeliveredError
from anpr.alerts import raise_alerts
from anpr.clock import Clock
from anpr.events import Alert, Read, Status, encode
from anpr.intake import BadRead, decode_read
from anpr.services.watchlist_follower import Held

WAIT_SECONDS = 0.1
# A broker bounds what is sent to it compressed, so a record can be far larger than any that is sent again. Of such a
# one the beginning is kept, with its length and digest: no record may keep those behind it from being matched.
MAX_DEADLETTER_BYTES = 1_000_000
# More cameras than any site has: names beyond these, which only a fault can bring, are not told of.
MAX_CAMERAS = 500
STATUS_EVERY = timedelta(seconds=1)
# Asked to stop while the broker is away, a matcher waits this long for its last alerts, then leaves the reads of
# the turn uncommitted for whoever comes next.
GIVE_UP_AFTER = timedelta(seconds=5)


@dataclass(slots=True)
class Figures:
    """What the matcher tells of itself. Counted from its start, so a difference of two is a rate."""

    started_at: datetime
    counts: Counter[str] = field(default_factory=Counter)
    cameras: dict[str, datetime] = field(default_factory=dict)


class Matcher:
    """One process's share of a site's reads."""

    def __init__(  # noqa: PLR0913  everything it touches is handed in
        self,
        *,
        site: str,
        name: str,
        source: Source,
        publisher: Publisher,
        held: Callable[[], Held | None],
        clock: Clock,
        stopping: Callable[[], bool],
        batch_reads: int,
        late_after: timedelta,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        """`held` returns the index of the moment; `stopping` tells when to finish; `rest` waits so many seconds."""
        self._site = site
        self._name = name
        self._source = source
        self._publisher = publisher
        self._held = held
        self._clock = clock
        self._stopping = stopping
        self._batch_reads = batch_reads
        self._late_after = late_after
        self._rest = rest
        self._figures = Figures(clock())
        self._next_status = self._figures.started_at

    def run(self) -> None:
        """Match until it is time to stop."""
        while not self._stopping():
            self.turn()

    def turn(self) -> None:
        """Take what is there and see it through. Without a list nothing is taken, for it could not be matched."""
        held = self._held()
        if held is None:
            self._rest(WAIT_SECONDS)
        elif records := self._source.take(self._batch_reads, WAIT_SECONDS):
            reads, bad = self._decode(records)
            alerts = raise_alerts(reads, held.index, self._clock(), self._late_after)
            self._publish(alerts, bad)
            self._flush()
            self._source.commit(records)
        self._report(held)

    def _decode(self, records: Sequence[Record]) -> tuple[list[Read], list[tuple[Record, BadRead]]]:
        reads: list[Read] = []
        bad: list[tuple[Record, BadRead]] = []
        for record in records:
            try:
                read = decode_read(record.value, self._site, record.arrived_at)
            except BadRead as error:
                bad.append((record, error))
            else:
                reads.append(read)
                self._note(read)
        return reads, bad

    def _note(self, read: Read) -> None:
        counts, cameras = self._figures.counts, self._figures.cameras
        counts["reads"] += 1
        counts["dropped_fields"] += len(read.dropped_fields)
        is_told = read.camera in cameras or len(cameras) < MAX_CAMERAS
        if read.captured_at is not None and not read.clock_suspect and is_told:
            cameras[read.camera] = max(cameras.get(read.camera, read.captured_at), read.captured_at)

    def _publish(self, facts: Sequence[object], bad: Sequence[tuple[Record, BadRead]]) -> None:
        for fact in facts:
            if isinstance(fact, Alert):
                topic = topics.of_alert(fact)
                self._publisher.publish(topic, fact.plate, encode(fact))
                # Covert alerts are in no count that everybody can see.
                self._figures.counts["alerts"] += topic == topics.alerts(self._site)
            else:
                self._publisher.publish(topics.alerts(self._site), None, encode(fact))
        for record, error in bad:
            place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
            headers = {"reason": error.reason, "detail": error.detail, **place}
            value = record.value or b""
            if len(value) > MAX_DEADLETTER_BYTES:
                headers |= {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
            self._publisher.publish(
                topics.deadletters(self._site),
                None,
                value[:MAX_DEADLETTER_BYTES],
                {name: str(value).encode() for name, value in headers.items()},
            )
            self._figures.counts["dead_letters"] += 1

    def _flush(self) -> None:
        """Wait until the broker has everything. Raises UndeliveredError: the reads must not be committed then."""
        give_up_at: datetime | None = None
        while waiting := self._publisher.flush(1.0):
            now = self._clock()
            give_up_at = give_up_at or (now + GIVE_UP_AFTER if self._stopping() else None)
            if give_up_at is not None and now > give_up_at:
                raise UndeliveredError(f"{waiting} records not with the broker when asked to stop")

    def _report(self, held: Held | None) -> None:
        now = self._clock()
        if now < self._next_status:
            return
        self._next_status = now + STATUS_EVERY
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
            partitions=self._source.partitions(),
            lag=self._source.lag(),
            cameras=self._figures.cameras,
        )
        self._publisher.publish(topics.status(self._site), self._name, encode(status))
        # Uncommitted leftovers of a commit that was refused go again, so that a quiet road ends with no lag.
        self._source.commit([])
