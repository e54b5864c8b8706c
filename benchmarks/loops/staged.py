"""The matcher with a stopwatch around each of its parts: the processor time of its thread, by stage of its turn.

What the stopwatches take themselves is measured at the start and left out. The client's own threads are not in it.
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

import msgspec
from msgspec import Struct

from anpr.contracts.events import Alert, Read
from anpr.contracts.local_days import UTC_DAYS, LocalDays
from anpr.kafka.consumer import KafkaConsumer
from anpr.kafka.interfaces import DeliveryCallback, Record
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.record_batch import RecordBatch
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.matching.encoding.columns import Texts
from anpr.matching.encoding.plain_reads import ReadScanner, Scanned
from anpr.matching.encoding.plate_codes import Rows
from anpr.matching.index import Index, Match
from anpr.reads.decoder import BadRead
from benchmarks.loops.cost import Work
from benchmarks.loops.fields import Fields
from benchmarks.loops.matcher import Parts, active_index, prepare, run

# In the order of a turn. "scan" finds what matching needs. "decode" is what no stopwatch is around: first, decoding
# whole what may match and once a second a sample. "explain" searches what may match again and gives reasons.
STAGES: Final = ("take", "scan", "search", "decode", "explain", "publish", "commit", "metrics")
# Counting for the benchmark.
_NOT_THE_MATCHERS: Final = "not the matcher's"
_TRIALS: Final = 10_000
_P = ParamSpec("_P")
_T = TypeVar("_T")


class StageCosts(Struct):
    """Microseconds a read by stage, and the reads, turns, listed reads and alerts that they are of."""

    stages_us: dict[str, float]
    reads: int
    turns: int
    listed: int
    alerts: int


class Stopwatch:
    """The processor time of this thread, by stage, and how often each stage was timed."""

    def __init__(self) -> None:
        self.ns: Counter[str] = Counter()
        self.uses: Counter[str] = Counter()

    def time(self, stage: str, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Do some work and add its time to a stage."""
        began = time.thread_time_ns()
        try:
            return work(*args, **kwargs)
        finally:
            self.ns[stage] += time.thread_time_ns() - began
            self.uses[stage] += 1

    def clear(self) -> None:
        """Forget what was timed."""
        self.ns.clear()
        self.uses.clear()


WATCH: Final = Stopwatch()


class OwnCost(NamedTuple):
    """What one use of a stopwatch takes: within the time that it measures, and besides."""

    within_ns: float
    besides_ns: float


def own_cost() -> OwnCost:
    """Measure what a stopwatch takes: it asks the system for the time of a thread, which takes a microsecond."""
    watch = Stopwatch()
    began = time.thread_time_ns()
    for _ in range(_TRIALS):
        watch.time(_NOT_THE_MATCHERS, int)
    whole, within = time.thread_time_ns() - began, watch.ns[_NOT_THE_MATCHERS]
    return OwnCost(within / _TRIALS, (whole - within) / _TRIALS)


class TimedConsumer(KafkaConsumer):
    """Its stages are "take" and "commit"."""

    def poll(self, max_records: int, wait_seconds: float) -> RecordBatch:
        """See `interfaces.Consumer`."""
        batch = WATCH.time("take", super().poll, max_records, wait_seconds)
        WATCH.time(_NOT_THE_MATCHERS, _CHECK.note_polled, batch)
        return batch

    def commit(self, records: Sequence[Record]) -> None:
        """See `interfaces.Consumer`."""
        WATCH.time("commit", super().commit, records)
        if records:
            WATCH.time(_NOT_THE_MATCHERS, _CHECK.note_processed)


class TimedProducer(KafkaProducer):
    """Its stage is "publish"."""

    def produce(
        self,
        topic: str,
        key: str | None,
        value: bytes,
        headers: Mapping[str, bytes] | None = None,
        on_delivery: DeliveryCallback | None = None,
    ) -> None:
        """See `interfaces.Producer`."""
        WATCH.time("publish", super().produce, topic, key, value, headers, on_delivery)

    def flush(self, wait_seconds: float) -> int:
        """See `interfaces.Producer`."""
        return WATCH.time("publish", super().flush, wait_seconds)


class TimedMetrics(MatcherMetrics):
    """Its stage is "metrics"."""

    def record_batch(self, records: int, seconds: float) -> None:
        """See `MatcherMetrics`."""
        WATCH.time("metrics", super().record_batch, records, seconds)

    def record_reads(self, reads: Sequence[Read]) -> None:
        """See `MatcherMetrics`."""
        WATCH.time("metrics", super().record_reads, reads)

    def record_published(
        self, reads: int, alerts: Sequence[Alert], dead_letters: Sequence[BadRead], now: datetime
    ) -> None:
        """See `MatcherMetrics`."""
        WATCH.time("metrics", super().record_published, reads, alerts, dead_letters, now)


class TimedIndex(Index):
    """Its stages are "search" and "explain"."""

    def may_match(self, texts: Texts) -> Rows:
        """See `Index`."""
        return WATCH.time("search", super().may_match, texts)

    def match(self, reads: Sequence[Read], days: LocalDays = UTC_DAYS) -> list[list[Match]]:
        """See `Index`."""
        return WATCH.time("explain", super().match, reads, days)


class Check:
    """Counts turns and listed reads, apart from the matcher."""

    def __init__(self) -> None:
        self.turns = self.listed = self.reads = 0
        self.plates: frozenset[str] = frozenset()
        self._decode = msgspec.json.Decoder(Fields).decode
        self._polled = RecordBatch.of([])

    def note_polled(self, batch: RecordBatch) -> None:
        """Note what a turn has taken."""
        self._polled = batch

    def note_processed(self) -> None:
        """Note that the turn is over."""
        self.turns += 1
        self.reads += len(self._polled)
        self.listed += sum(self._decode(value).plate in self.plates for value in self._polled.values)


_CHECK: Final = Check()


class Measurement:
    """Says when the matcher is done: so many turns to get warm, then so many reads."""

    def __init__(self, reads: int, warm_up_turns: int) -> None:
        self._reads, self._warm_up_turns, self._own = reads, warm_up_turns, own_cost()
        self._began: tuple[int, int, int, int, int] | None = None
        self.costs = StageCosts({}, 0, 0, 0, 0)

    def is_done(self, metrics: MatcherMetrics) -> bool:
        """Return whether so many reads have been measured."""
        return WATCH.time(_NOT_THE_MATCHERS, self._is_done, metrics)

    def _is_done(self, metrics: MatcherMetrics) -> bool:
        now = (time.thread_time_ns(), _CHECK.reads, _CHECK.turns, _CHECK.listed, metrics.counts["alerts"])
        if self._began is None:
            if _CHECK.turns >= self._warm_up_turns:
                WATCH.clear()
                self._began = now
            return False
        thread_ns, reads, turns, listed, alerts = (end - begin for end, begin in zip(now, self._began, strict=True))
        if reads < self._reads:
            return False
        self.costs = StageCosts(self._stages_us(thread_ns, reads), reads, turns, listed, alerts)
        return True

    def _stages_us(self, thread_ns: int, reads: int) -> dict[str, float]:
        ns = {stage: WATCH.ns[stage] - WATCH.uses[stage] * self._own.within_ns for stage in STAGES}
        ns["decode"] = thread_ns - WATCH.ns.total() - WATCH.uses.total() * self._own.besides_ns
        return {stage: of / reads / 1000 for stage, of in ns.items()}


def _time_scans() -> None:
    """Put the stopwatch around the scan, which a matcher makes for itself."""
    scan = ReadScanner.scan

    def timed(scanner: ReadScanner, values: Sequence[bytes]) -> Scanned:
        return WATCH.time("scan", scan, scanner, values)

    setattr(ReadScanner, "scan", timed)  # noqa: B010  to mypy a method is no variable


def main(work: str, path: str, plates: str, batch_reads: str, warm_up_turns: str) -> None:
    """Run it on the work, which is JSON. `path` is the index folder, `plates` a file of the listed plates."""
    whole: Work = msgspec.json.decode(work, type=Work)
    _CHECK.plates = frozenset(msgspec.json.decode(Path(plates).read_bytes(), type=list[str]))
    active = active_index(Path(path))
    of_index: dict[str, Any] = {field.name: getattr(active.index, field.name) for field in fields(Index)}
    prepare()
    _time_scans()
    measurement = Measurement(whole.reads, int(warm_up_turns))
    run(
        whole,
        replace(active, index=TimedIndex(**of_index)),
        measurement.is_done,
        batch_reads=int(batch_reads),
        parts=Parts(TimedConsumer, TimedProducer, TimedMetrics),
    )
    sys.stdout.buffer.write(msgspec.json.encode(measurement.costs))


if __name__ == "__main__":
    main(*sys.argv[1:])
