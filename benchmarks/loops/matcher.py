"""The matcher of `anpr match`, with an index that `anpr index` would have written."""

import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from anpr.contracts.local_days import LocalDays
from anpr.index_store.folder import IndexFolder
from anpr.index_store.follower import ActiveIndex, IndexFollower
from anpr.kafka.consumer import KafkaConsumer
from anpr.kafka.producer import KafkaProducer
from anpr.matcher.environment import Lifecycle, MatcherIdentity
from anpr.matcher.matcher import Matcher
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.matching.compiling import compile_kernels
from anpr.runtime.clock import system_clock
from anpr.runtime.garbage import collect_garbage_rarely
from anpr.runtime.settings_files import load_settings
from benchmarks.loops.cost import Work, cost_of
from benchmarks.stored_reads import CONFIG, SITE


class Parts(NamedTuple):
    """What a matcher is made of, so that a loop can put a stopwatch around a part."""

    consumer: type[KafkaConsumer] = KafkaConsumer
    producer: type[KafkaProducer] = KafkaProducer
    metrics: type[MatcherMetrics] = MatcherMetrics


MATCHER = Parts()
# The least that the broker takes. A member learns within a sixth of it that another one shares its partitions.
_SHARED_SECONDS = 3


def run(  # noqa: PLR0913  a matcher has as many parts
    work: Work,
    active: ActiveIndex,
    is_done: Callable[[MatcherMetrics], bool],
    *,
    group: str = "",
    batch_reads: int = 0,
    parts: Parts = MATCHER,
) -> MatcherMetrics:
    """Match until it is done, which is asked before each batch. Without a group it has one of its own."""
    settings = load_settings(CONFIG, {})
    cameras = [camera.name for camera in settings.sites[SITE].cameras]
    metrics = parts.metrics(SITE, cameras, system_clock())
    name = uuid.uuid4().hex
    consumer = parts.consumer(
        work.kafka,
        work.reads_topic,
        group or name,
        name,
        memory_topic=work.alerts_topic,
        session_timeout_seconds=_SHARED_SECONDS if group else settings.matcher.session_timeout_seconds,
    )
    Matcher(
        MatcherIdentity(SITE, name),
        consumer=consumer,
        producer=parts.producer(work.kafka),
        active_index=lambda: active,
        settings=replace(settings.matcher, batch_reads=batch_reads or settings.matcher.batch_reads),
        days=LocalDays(settings.zones),
        metrics=metrics,
        lifecycle=Lifecycle(lambda: is_done(metrics), lambda: None, lambda: None),
    ).run()
    consumer.close()
    return metrics


def prepare() -> None:
    """Do what the service does before it joins its group."""
    compile_kernels()
    collect_garbage_rarely()


def taken(metrics: MatcherMetrics) -> int:
    """Return how many reads a matcher is done with: some of the simulators' have no plate and become dead letters."""
    return metrics.counts["reads"] + metrics.counts["dead_letters"]


def active_index(path: Path) -> ActiveIndex:
    """Return the index in a folder."""
    follower = IndexFollower(IndexFolder(path), "anpr index")
    follower.check_for_update()
    if follower.active is None:
        raise SystemExit(f"there is no usable index in {path}")
    return follower.active


def main(work: str, path: str) -> None:
    """Match every read of the work, which is JSON. `path` is the index folder."""
    active = active_index(Path(path))
    prepare()

    def alerts(work: Work) -> int:
        return run(work, active, lambda metrics: taken(metrics) >= work.reads).counts["alerts"]

    sys.stdout.buffer.write(msgspec.json.encode(cost_of(alerts, msgspec.json.decode(work, type=Work))))


if __name__ == "__main__":
    main(*sys.argv[1:])
