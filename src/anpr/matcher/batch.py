"""The records of one poll on their way to alerts: decoded, then matched. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from anpr.contracts import canary
from anpr.contracts.events import Alert, Correction, Read
from anpr.contracts.local_days import LocalDays
from anpr.kafka.delivery_errors import TOO_LARGE, UndeliveredError
from anpr.kafka.interfaces import Record
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from anpr.reads.decoder import ALERT_TOO_LARGE, BadRead, decode_read


class DecodedRead(NamedTuple):
    """A record and the read that it holds."""

    record: Record
    read: Read


class UnmatchableRecord(NamedTuple):
    """A record that must become a dead letter, and the reason."""

    record: Record
    error: BadRead


class RejectedAlert(NamedTuple):
    """An alert that the broker rejected, and why."""

    alert: Alert
    error: UndeliveredError


class Batch(NamedTuple):
    """The records of one poll that were decoded whole, and the results of each stage.

    The canary is matched and published like any read, but it is in no count (docs/adr/0016). `counted_reads` and
    `counted_alerts` leave it out. `unmatched` counts the reads that match nothing and were not decoded whole.
    """

    unmatched: int
    decoded: Sequence[DecodedRead]
    undecodable: Sequence[UnmatchableRecord]
    alert_records: Sequence[Alert | Correction] = ()
    counted_reads: Sequence[Read] = ()
    counted_alerts: Sequence[Alert] = ()


def decode_batch(to_decode: Sequence[Record], unmatched: int, site: str) -> Batch:
    """Decode records of a site. One that is no usable read is `undecodable`."""
    decoded: list[DecodedRead] = []
    undecodable: list[UnmatchableRecord] = []
    for record in to_decode:
        try:
            decoded.append(DecodedRead(record, decode_read(record.value, site, record.arrived_at)))
        except BadRead as error:
            undecodable.append(UnmatchableRecord(record, error))
    return Batch(unmatched, decoded, undecodable)


def match_batch(batch: Batch, index: Index, now: datetime, late_after: timedelta, days: LocalDays) -> Batch:
    """Match the decoded reads against the index; see `raise_alerts`."""
    reads = [read for _, read in batch.decoded]
    alert_records = raise_alerts(reads, index, now, late_after, days)
    alerts = (record for record in alert_records if isinstance(record, Alert))
    return batch._replace(
        alert_records=alert_records,
        counted_reads=[read for read in reads if not canary.is_canary_read(read)],
        counted_alerts=[alert for alert in alerts if not canary.is_canary(alert)],
    )


def records_with_alerts_too_large(batch: Batch, rejected: Sequence[RejectedAlert]) -> list[UnmatchableRecord]:
    """Return the records to dead-letter because an alert of theirs is too large for its topic.

    Raises the UndeliveredError of any other rejection, and of a covert alert: the batch must then not be committed. A
    canary that is too large is dropped: it never reaches the console, and the console reports that.
    """
    for alert, error in rejected:
        if error.code != TOO_LARGE or alert.is_covert:
            raise error
    counted = {alert.alert_id for alert in batch.counted_alerts}
    why = {alert.read: str(error) for alert, error in rejected if alert.alert_id in counted}
    return [
        UnmatchableRecord(record, BadRead(ALERT_TOO_LARGE, why[read]))
        for record, read in batch.decoded
        if read in why
    ]
