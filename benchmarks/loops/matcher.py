"""The matcher of `anpr match`, with an index that `anpr index` would have written."""

import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec

from anpr.contracts.local_days import LocalDays
from anpr.index_store.folder import IndexFolder
from anpr.index_store.follower import ActiveIndex, IndexFollower
from anpr.kafka.consumer import KafkaConsumer
from anpr.kafka.producer import KafkaProducer
from anpr.matcher.environment import Lifecycle, MatcherIdentity
from anpr.matcher.matcher import Matcher
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.runtime.clock import system_clock
from anpr.runtime.settings_files import load_settings
from benchmarks.loops.cost import Work, cost_of
from benchmarks.stored_reads import CONFIG, SITE


def matcher(active: ActiveIndex) -> Callable[[Work], int]:
    """Return the matcher's loop, on its own consumer and producer, until it has matched every read."""
    settings = load_settings(CONFIG, {})
    cameras = [camera.name for camera in settings.sites[SITE].cameras]

    def run(work: Work) -> int:
        metrics = MatcherMetrics(SITE, cameras, system_clock())
        name = uuid.uuid4().hex
        consumer = KafkaConsumer(
            work.kafka,
            work.reads_topic,
            name,
            name,
            memory_topic=work.alerts_topic,
            session_timeout_seconds=settings.matcher.session_timeout_seconds,
        )
        Matcher(
            MatcherIdentity(SITE, name),
            consumer=consumer,
            producer=KafkaProducer(work.kafka),
            active_index=lambda: active,
            settings=settings.matcher,
            days=LocalDays(settings.zones),
            metrics=metrics,
            lifecycle=Lifecycle(lambda: metrics.counts["reads"] >= work.reads, lambda: None, lambda: None),
        ).run()
        consumer.close()
        return metrics.counts["alerts"]

    return run


def _active_index(path: Path) -> ActiveIndex:
    follower = IndexFollower(IndexFolder(path), "anpr index")
    follower.check_for_update()
    if follower.active is None:
        raise SystemExit(f"there is no usable index in {path}")
    return follower.active


def main(work: str, path: str) -> None:
    """Run it on the work, which is JSON. `path` is the index folder."""
    loop = matcher(_active_index(Path(path)))
    sys.stdout.buffer.write(msgspec.json.encode(cost_of(loop, msgspec.json.decode(work, type=Work))))


if __name__ == "__main__":
    main(*sys.argv[1:])
