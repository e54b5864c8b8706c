"""Publishes the status of a matcher: its generation of the watchlist, its counts and its lag."""

from datetime import datetime

from anpr.contracts import topics
from anpr.contracts.events import Status, encode
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.interfaces import Producer
from anpr.matcher.environment import MatcherIdentity
from anpr.matcher.matcher_metrics import MatcherMetrics


class StatusPublisher:
    """Publishes to the status topic of the site, under the matcher's name as key."""

    def __init__(self, identity: MatcherIdentity, producer: Producer, metrics: MatcherMetrics) -> None:
        """Publish what `metrics` has counted."""
        self._identity = identity
        self._producer = producer
        self._metrics = metrics

    def publish(
        self,
        active_index: ActiveIndex | None,
        now: datetime,
        *,
        partitions: int = 0,
        lag: int | None = None,
        has_left: bool = False,
    ) -> None:
        """Hand a status to the producer. `has_left` marks the last status of a matcher that stops in order."""
        counts = self._metrics.counts
        status = Status(
            site=self._identity.site,
            matcher=self._identity.name,
            at=now,
            started_at=self._metrics.started_at,
            generation=active_index.index.generation if active_index else None,
            entries=active_index.index.size if active_index else 0,
            list_applied_at=active_index.applied_at if active_index else None,
            list_confirmed_at=active_index.confirmed_at if active_index else None,
            reads=counts["reads"],
            alerts=counts["alerts"],
            dead_letters=counts["dead_letters"],
            dropped_fields=counts["dropped_fields"],
            sampled_reads=counts["sampled_reads"],
            alerts_too_large=counts["alerts_too_large"],
            partitions=partitions,
            lag=lag,
            cameras=self._metrics.cameras,
            clock_offset_seconds=self._metrics.clock_offset_seconds(),
            reused_read_ids=self._metrics.reused_read_ids,
            unknown_cameras=self._metrics.unknown_cameras.at(now),
            has_left=has_left,
        )
        self._producer.produce(topics.status(self._identity.site), self._identity.name, encode(status))
        self._metrics.record_status(status)
