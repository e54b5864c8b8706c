"""The matcher: reads of one site in, alerts out.

One pass of the loop polls a batch of reads, matches it against the active index, publishes the alerts, waits until
the broker has acknowledged all of them, and only then commits the reads (docs/adr/0002). A matcher that is killed at
any point leaves its batch uncommitted. The next owner of the partitions polls the same reads and raises alerts with
the same ids: nothing is lost and nothing counts twice. A pass with one read takes two round trips to the broker; a
pass with two thousand matches them together. Only reads that may match are decoded whole, and once a second a sample
for the figures about cameras (`screening`, docs/adr/0038). Between passes a matcher keeps only that and its metrics.

A batch with a record that the broker rejects is not committed. The matcher then restarts from the last committed
offset (`matcher_service`) until the broker accepts the record. An alert that is too large for its topic is the
exception, because it must not hold up the reads behind it: its read becomes a dead letter, which can be replayed. A
covert alert that is too large still waits: more people may see dead letters than may see that alert.

Reads that the broker deleted before a matcher had read them become a dead letter too, one for each gap in a
partition. The broker has it before the matcher commits anything behind the gap (docs/adr/0026).
"""

import math
from collections.abc import Callable, Sequence
from datetime import timedelta

from anpr.contracts import topics
from anpr.contracts.events import Alert, Correction, encode
from anpr.contracts.local_days import LocalDays
from anpr.contracts.losses import READS_LOST
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.delivery_errors import TOO_LARGE, UndeliveredError
from anpr.kafka.interfaces import Consumer, OffsetGap, Producer
from anpr.kafka.record_batch import RecordBatch
from anpr.matcher.acknowledgements import Acknowledgements
from anpr.matcher.batch import (
    RejectedAlert,
    UnmatchableRecord,
    decode_batch,
    match_batch,
    records_with_alerts_too_large,
)
from anpr.matcher.dead_lettering import dead_letter, loss_letter, loss_of
from anpr.matcher.environment import SYSTEM_CLOCKS, Clocks, Lifecycle, MatcherIdentity
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.matcher.screening import Screening
from anpr.matcher.status_publisher import StatusPublisher
from anpr.runtime.clock_steps import ClockSteps
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import MatcherSettings

log = get_logger(__name__)

WAIT_SECONDS = 0.1
STATUS_EVERY_SECONDS = 1.0


class Matcher:
    """One process's share of a site's reads."""

    def __init__(  # noqa: PLR0913  everything that it touches is handed in
        self,
        identity: MatcherIdentity,
        *,
        consumer: Consumer,
        producer: Producer,
        active_index: Callable[[], ActiveIndex | None],
        settings: MatcherSettings,
        days: LocalDays,
        metrics: MatcherMetrics,
        lifecycle: Lifecycle,
        clocks: Clocks = SYSTEM_CLOCKS,
    ) -> None:
        """`active_index` returns the index to match against, None while there is none."""
        self._site = identity.site
        self._consumer = consumer
        self._producer = producer
        self._active_index = active_index
        self._batch_reads = settings.batch_reads
        self._late_after = timedelta(seconds=settings.late_after_seconds)
        self._days = days
        self._metrics = metrics
        self._screening = Screening(identity.site, metrics.cameras_configured)
        self._lifecycle = lifecycle
        self._clocks = clocks
        self._acknowledgements = Acknowledgements(producer, lifecycle, clocks.stopwatch)
        self._status = StatusPublisher(identity, producer, metrics)
        self._has_published_status = False
        self._next_status_at = -math.inf
        self._clock_steps = ClockSteps(clocks.now, clocks.stopwatch)

    def run(self) -> None:
        """Match until it is time to stop. Raises RejectedError when the broker rejects this matcher's work."""
        while not self._lifecycle.is_stopping():
            self.run_once()
        self._metrics.record_reads(self._screening.take_sample())
        self._status.publish(self._active_index(), self._clocks.now(), has_left=True)
        self._producer.flush(WAIT_SECONDS)

    def run_once(self) -> None:
        """Poll one batch and process it. While there is no index, poll nothing: no read could be matched."""
        self._lifecycle.heartbeat()
        active_index = self._active_index()
        if active_index is None:
            self._clocks.sleep(WAIT_SECONDS)
        else:
            records = self._consumer.poll(self._batch_reads, WAIT_SECONDS)
            if gaps := self._consumer.gaps():
                self._report_losses(gaps)
            if len(records):
                # A newer index may have become active during the poll.
                self._process_batch(records, self._active_index() or active_index)
        self._publish_status_when_due()

    def _report_losses(self, gaps: Sequence[OffsetGap]) -> None:
        """Report the reads that the broker deleted. Raises UndeliveredError before the gaps are passed.

        So a matcher that is killed meanwhile reports the same losses again, with the same ids.
        """
        losses = [loss_of(gap, self._site, self._clocks.now()) for gap in gaps]
        for loss in losses:
            log.error(
                "the broker deleted reads before they were matched",
                code=READS_LOST,
                reads=loss.reads,
                partition=loss.partition,
                first_offset=loss.first_offset,
                last_offset=loss.last_offset,
                since=loss.since and loss.since.isoformat(),
                until=loss.until.isoformat(),
                loss_id=loss.loss_id,
            )
            self._producer.produce(topics.deadletters(self._site), None, *loss_letter(loss))
        self._acknowledgements.wait_for_all()
        self._consumer.pass_gaps()
        self._metrics.record_losses(losses)

    def _process_batch(self, records: RecordBatch, active_index: ActiveIndex) -> None:
        """Take one batch from bytes to committed offsets. Raises UndeliveredError before anything is committed."""
        started_at = self._clocks.stopwatch()
        to_decode = self._screening.records_to_decode(records, active_index.index)
        batch = decode_batch(to_decode, len(records) - len(to_decode), self._site)
        batch = match_batch(batch, active_index.index, self._clocks.now(), self._late_after, self._days)
        self._metrics.record_batch(len(records), self._clocks.stopwatch() - started_at)
        self._metrics.record_reads(batch.counted_reads)

        rejected = self._publish(batch.alert_records)
        self._dead_letter(batch.undecodable)
        self._acknowledgements.wait_for_all()

        too_large = records_with_alerts_too_large(batch, rejected)
        if too_large:
            log.error("alerts are too large, their reads become dead letters", code=TOO_LARGE, reads=len(too_large))
            self._dead_letter(too_large)
            self._acknowledgements.wait_for_all()

        acknowledged_at = self._clocks.now()
        self._consumer.commit(records.last_records())

        rejected_ids = {alert.alert_id for alert, _ in rejected}
        alerts = [alert for alert in batch.counted_alerts if alert.alert_id not in rejected_ids]
        dead_letters = [error for _, error in (*batch.undecodable, *too_large)]
        reads = batch.unmatched + len(batch.counted_reads)
        self._metrics.record_published(reads, alerts, dead_letters, acknowledged_at)

    def _publish(self, alert_records: Sequence[Alert | Correction]) -> list[RejectedAlert]:
        """Hand the alerts and corrections to the producer.

        The producer fills the returned list later, when the broker rejects an alert. A rejected correction makes
        `flush` raise.
        """
        rejected: list[RejectedAlert] = []
        for alert_record in alert_records:
            if isinstance(alert_record, Alert):

                def on_delivery(error: UndeliveredError | None, alert: Alert = alert_record) -> None:
                    if error is not None:
                        rejected.append(RejectedAlert(alert, error))

                topic = topics.of_alert(alert_record)
                self._producer.produce(topic, alert_record.plate, encode(alert_record), on_delivery=on_delivery)
            else:
                self._producer.produce(topics.alerts(self._site), None, encode(alert_record))
        return rejected

    def _dead_letter(self, unmatchable: Sequence[UnmatchableRecord]) -> None:
        """Hand dead letters to the producer."""
        for record, error in unmatchable:
            value, headers = dead_letter(record, error)
            self._producer.produce(topics.deadletters(self._site), None, value, headers)

    def _publish_status_when_due(self) -> None:
        seconds = self._clocks.stopwatch()
        if seconds < self._next_status_at:
            return
        self._next_status_at = seconds + STATUS_EVERY_SECONDS
        self._clock_steps.note()
        self._metrics.record_reads(self._screening.take_sample())
        partitions, lag = self._consumer.partition_count(), self._consumer.lag()
        pending = self._acknowledgements.pending()
        if partitions and lag == 0 and self._has_published_status and not pending:
            self._lifecycle.on_healthy()
        self._status.publish(self._active_index(), self._clocks.now(), partitions=partitions, lag=lag)
        # A site without traffic publishes only this status, so a rejection of the status must show here.
        self._producer.flush(0)
        self._has_published_status = True
        # Retry offsets whose commit failed, so that the lag returns to zero on a site without traffic.
        self._consumer.commit([])
