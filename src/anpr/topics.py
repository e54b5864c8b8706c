"""The topics: their names, who writes them, and how long they keep what they hold.

Every topic has one owning site, and only that site writes it. All others read it; that is how ports share.
"""

from dataclasses import dataclass
from datetime import timedelta

from anpr.events import Alert
from anpr.settings import TopicSettings

HOUR_MS = 3_600_000
# What a broker takes in one request for a partition: of whole batches, so it says nothing of one record.
BROKER_DEFAULT_BYTES = 1_048_588
# A dead letter is a record as large as a broker takes, and its headers. Publishers allow as much.
MAX_RECORD_BYTES = 2 * BROKER_DEFAULT_BYTES


def reads(site: str) -> str:
    """Return the topic on which a site's cameras publish. Keyed by camera."""
    return f"anpr.{site}.reads.v1"


def alerts(site: str) -> str:
    """Return the topic of a site's alerts and corrections. Keyed by plate."""
    return f"anpr.{site}.alerts.v1"


def covert_alerts(site: str) -> str:
    """Return the topic of the alerts that only people with the right may know of."""
    return f"anpr.{site}.alerts-covert.v1"


def actions(site: str) -> str:
    """Return the topic of what officers did. One partition, for its order decides between claims."""
    return f"anpr.{site}.actions.v1"


def covert_actions(site: str) -> str:
    """Return the topic of actions on covert alerts."""
    return f"anpr.{site}.actions-covert.v1"


def deadletters(site: str) -> str:
    """Return the topic of records that could not be matched: original bytes, reason in the headers."""
    return f"anpr.{site}.deadletters.v1"


def status(site: str) -> str:
    """Return the topic on which a site's matchers say once a second that and how they work."""
    return f"anpr.{site}.status.v1"


def of_alert(alert: Alert) -> str:
    """Return the topic that an alert goes to. A handling that is not known here is kept from open screens."""
    return alerts(alert.read.site) if alert.entry.handling == "open" else covert_alerts(alert.read.site)


def keep_ended(settings: TopicSettings) -> timedelta:
    """Return how long the list must remember an ended entry: as long as alerts that it raised are kept."""
    return timedelta(hours=settings.alerts_retention_hours)


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be."""

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
            # A segment goes only when its last record is too old: a tenth bounds what outlives its retention.
            "segment.ms": str(retention_ms // 10),
            # The broker's time is the time of arrival; a client's clock does not count.
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(max_bytes),
            "min.insync.replicas": str(max(1, settings.replication - 1)),
        }
        return TopicSpec(name, partitions, settings.replication, config)

    return [
        spec(reads(site), settings.reads_partitions, settings.reads_retention_hours),
        spec(alerts(site), settings.alerts_partitions, settings.alerts_retention_hours),
        spec(covert_alerts(site), settings.alerts_partitions, settings.alerts_retention_hours),
        spec(actions(site), 1, settings.alerts_retention_hours),
        spec(covert_actions(site), 1, settings.alerts_retention_hours),
        spec(deadletters(site), 1, settings.deadletters_retention_hours, MAX_RECORD_BYTES),
        spec(status(site), 1, 1),
    ]
