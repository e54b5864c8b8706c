"""A matcher on the in-memory broker."""

from collections.abc import Callable

from anpr.contracts import topics
from anpr.contracts.local_days import UTC_DAYS
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.in_memory import InMemoryBroker, InMemoryConsumer, InMemoryProducer
from anpr.matcher.environment import Clocks, Lifecycle, MatcherIdentity
from anpr.matcher.matcher import Matcher
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.runtime.clock import Clock
from anpr.runtime.settings import MatcherSettings

GROUP = "matchers"


def in_memory_matcher(  # noqa: PLR0913  as the matcher itself
    broker: InMemoryBroker,
    site: str,
    active_index: Callable[[], ActiveIndex | None],
    clock: Clock,
    metrics: MatcherMetrics,
    *,
    producer: InMemoryProducer | None = None,
    consumer: InMemoryConsumer | None = None,
    batch_reads: int = 500,
    is_stopping: Callable[[], bool] = lambda: False,
    on_healthy: Callable[[], None] = lambda: None,
    stopwatch: Callable[[], float] | None = None,
) -> Matcher:
    """Return a matcher named `one` whose clock is `clock`, and so is its stopwatch unless one is given."""
    return Matcher(
        MatcherIdentity(site, "one"),
        consumer=consumer or InMemoryConsumer(broker, topics.reads(site), GROUP),
        producer=producer or InMemoryProducer(broker),
        active_index=active_index,
        settings=MatcherSettings(batch_reads=batch_reads, late_after_seconds=60),
        days=UTC_DAYS,
        metrics=metrics,
        lifecycle=Lifecycle(is_stopping=is_stopping, heartbeat=lambda: None, on_healthy=on_healthy),
        clocks=Clocks(now=clock, stopwatch=stopwatch or (lambda: clock().timestamp())),
    )
