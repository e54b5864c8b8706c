"""The topics as the configuration wants them: partitions, replication, and how long each keeps its records."""

from dataclasses import dataclass

from anpr.contracts import topics
from anpr.runtime.settings import TopicSettings

HOUR_MS = 3_600_000
# The broker's limit for all batches of a partition in one request. It is no limit for a single record.
BROKER_DEFAULT_BYTES = 1_048_588
# A dead letter is a record of the broker's largest size plus its headers. Producers allow the same size.
MAX_RECORD_BYTES = 2 * BROKER_DEFAULT_BYTES


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as the configuration wants it."""

    name: str
    partitions: int
    replication: int
    config: dict[str, str]


def specs(site: str, settings: TopicSettings) -> list[TopicSpec]:
    """Return the topics that a site owns."""

    def spec(name: str, partitions: int, retention_hours: float, max_bytes: int = BROKER_DEFAULT_BYTES) -> TopicSpec:
        retention_ms = round(retention_hours * HOUR_MS)
        config = {
            "cleanup.policy": "delete",
            "retention.ms": str(retention_ms),
            # Kafka deletes a segment only when its last record is too old. With segments of a tenth of the
            # retention, no record outlives its retention by more than a tenth.
            "segment.ms": str(retention_ms // 10),
            # The record's time is the broker's time of arrival, whatever a client's clock says.
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(max_bytes),
            "min.insync.replicas": str(max(1, settings.replication - 1)),
        }
        return TopicSpec(name, partitions, settings.replication, config)

    return [
        spec(topics.reads(site), settings.reads_partitions, settings.reads_retention_hours),
        spec(topics.alerts(site), settings.alerts_partitions, settings.alerts_retention_hours),
        spec(topics.covert_alerts(site), settings.alerts_partitions, settings.alerts_retention_hours),
        spec(topics.actions(site), 1, settings.alerts_retention_hours),
        spec(topics.covert_actions(site), 1, settings.alerts_retention_hours),
        spec(topics.arrivals(site), 1, settings.alerts_retention_hours),
        spec(topics.covert_arrivals(site), 1, settings.alerts_retention_hours),
        spec(topics.deadletters(site), 1, settings.deadletters_retention_hours, MAX_RECORD_BYTES),
        spec(topics.status(site), 1, 1),
        spec(topics.audit_heads(site), 1, settings.audit_heads_retention_hours),
    ]
