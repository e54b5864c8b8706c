"""All metrics, declared here and nowhere else; docs/metrics.md is made from this file (`make metrics`).

Every label is bounded: by the configuration (site, camera) or by a list in the code (tier, reason, field). Covert
alerts are in none of them: whoever may look at a graph must not learn that there was one. Metrics are touched once a
batch or once a second, never once a read.
"""

import sys
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.metrics import MetricWrapperBase

REGISTRY: Final = CollectorRegistry()
# A camera or another name that no list knows is counted under this one, so that nobody can make labels without end.
OTHER: Final = "other"

Metric = TypeVar("Metric", bound=MetricWrapperBase)
_DECLARED: dict[str, MetricWrapperBase] = {}
disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
ProcessCollector(registry=REGISTRY)


def _declare(metric: Metric, name: str) -> Metric:
    _DECLARED[name] = metric
    return metric


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return _declare(Counter(name, meaning, labels, registry=REGISTRY), name)


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return _declare(Gauge(name, meaning, labels, registry=REGISTRY), name)


def _histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return _declare(Histogram(name, meaning, labels, registry=REGISTRY, buckets=buckets), name)


# --- the matcher ---

READS = _counter("anpr_reads_total", "Reads that were matched and committed, repeats included.", "site")
ALERTS = _counter("anpr_alerts_total", "Alerts published, without covert ones, repeats included.", "site", "tier")
DEAD_LETTERS = _counter("anpr_dead_letters_total", "Records that were put aside.", "site", "reason")
DROPPED_FIELDS = _counter(
    "anpr_dropped_fields_total",
    "Bad fields left out of reads; `candidates` also where only some were, `plate` where they stand for it.",
    "site",
    "field",
)
UNREADABLE = _counter(
    "anpr_unreadable_reads_total",
    "Reads with a place that cannot be read: a letter that no table knows, or one that the camera left open.",
    "site",
)
CAPTURE_TO_PUBLISH = _histogram(
    "anpr_capture_to_publish_seconds",
    "From the camera's capture until the broker has the alert; live alerts without covert ones.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    "site",
)
MATCHING = _histogram(
    "anpr_matching_seconds",
    "Decoding and matching one batch.",
    (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5),
    "site",
)
BATCH = _histogram("anpr_batch_reads", "Records taken in one turn.", (1, 2, 5, 10, 25, 50, 100, 250, 500), "site")
LAG = _gauge("anpr_lag_reads", "Reads that wait in this matcher's partitions.", "site")
PARTITIONS = _gauge("anpr_partitions", "Partitions of the reads topic held by this matcher; 0 stands by.", "site")
LIST_EPOCH = _gauge("anpr_list_generation_epoch", "Epoch of the list in force here.", "site")
LIST_NUMBER = _gauge("anpr_list_generation_number", "Number of the list in force here, within its epoch.", "site")
LIST_ENTRIES = _gauge("anpr_list_entries", "Entries of the list in force here; 0 while there is none.", "site")
LIST_APPLIED = _gauge("anpr_list_applied_timestamp_seconds", "When the list in force here was applied.", "site")
LIST_CONFIRMED = _gauge(
    "anpr_list_confirmed_timestamp_seconds",
    "When Redis last said that this list is the one in force; 0 when not since the start.",
    "site",
)
CAMERA_LAST_READ = _gauge(
    "anpr_camera_last_read_timestamp_seconds", "When the newest read of a camera arrived.", "site", "camera"
)
CAMERA_CLOCK_OFFSET = _gauge(
    "anpr_camera_clock_offset_seconds",
    "Capture time less time of arrival, the largest of the last batch: above 0 the clock is ahead; far below, it is "
    "behind or reads come late.",
    "site",
    "camera",
)

# --- the gateway ---

SENT = _counter("anpr_sent_reads_total", "Lines that the broker has taken.", "site")
UNMATCHABLE = _counter("anpr_unmatchable_lines_total", "Lines sent though no matcher can match them.", "site")
REFUSED_LINES = _counter("anpr_refused_lines_total", "Lines too long to be sent.", "site")
SPOOLED = _gauge("anpr_spooled_lines", "Lines on the gateway's disk that the broker does not have yet.", "site")

# --- the index builder ---

INDEX_BUILD = _histogram(
    "anpr_index_build_seconds",
    "Building a base of the index from Redis (whole) or from the one before (merge), or laying changes over it.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    "kind",
)
INDEX_EPOCH = _gauge("anpr_index_generation_epoch", "Epoch of the list that the index on disk holds.")
INDEX_NUMBER = _gauge("anpr_index_generation_number", "Number of that list, within its epoch.")
INDEX_ENTRIES = _gauge("anpr_index_entries", "Entries of the index on disk.")
INDEX_CHANGES = _gauge("anpr_index_changed_entries", "Entries that were put or removed since its base was built.")
INDEX_MERGE_FAILURES = _counter(
    "anpr_index_merge_failures_total", "Merges of the index that failed; each is tried again, later each time."
)
INDEX_BYTES = _gauge("anpr_index_bytes", "Room that the index takes on the disk.")
INDEX_CONFIRMED = _gauge(
    "anpr_index_confirmed_timestamp_seconds", "When Redis last said that the index on disk is the list in force."
)

# --- the keeper of the lists ---

EXPIRED = _counter("anpr_expired_entries_total", "Entries that were taken off as their validity ended.")

# --- the console ---

CONSOLE_HEARD = _gauge(
    "anpr_console_site_heard_timestamp_seconds", "When this console last heard a site's matchers; 0 never.", "site"
)
CONSOLE_CANARY_SENT = _gauge(
    "anpr_console_canary_sent_timestamp_seconds", "When a site's last test plate was sent that came here.", "site"
)
CONSOLE_CANARY_SECONDS = _gauge(
    "anpr_console_canary_seconds", "How long that test plate took from its camera to this console.", "site"
)
CAPTURE_TO_BOARD = _histogram(
    "anpr_capture_to_board_seconds",
    "From the camera's capture until the alert is on this console's board; live alerts without covert ones.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    "site",
)
CONSOLE_UNREADABLE = _counter(
    "anpr_console_unreadable_records_total", "Records of a site that no board can take, without covert ones.", "site"
)
CONSOLE_INCIDENTS = _gauge(
    "anpr_console_open_incidents", "Incidents on the page by lane, without covert ones.", "lane"
)
CONSOLE_FAULTS = _gauge("anpr_console_faults", "Faults that the page shows; above 0 its count is `?`.")
CONSOLE_BROWSERS = _gauge("anpr_console_browsers", "Browsers that follow the page.")
CONSOLE_EVENTS = _counter(
    "anpr_console_events_total", "Changes sent to browsers, without those of people who may know what is covert."
)
CONSOLE_SIGN_INS = _counter(
    "anpr_console_sign_ins_total",
    "Attempts to sign in: done, wrong (name or password), too_many, other_site, unavailable.",
    "result",
)

# --- every service ---

REFUSALS = _counter("anpr_broker_refusals_total", "Refusals by the broker; each is tried again.", "code")

LAST_TURN = _gauge("anpr_loop_last_turn_timestamp_seconds", "When the service's loop last went on.", "service")
STATE_FREE = _gauge("anpr_state_dir_free_bytes", "Room on the disk that holds state_dir.")


def table() -> str:
    """Return docs/metrics.md."""
    rows = [
        f"| `{name}` | {type(metric).__name__.lower()} | {', '.join(labels(name))} | {metric._documentation} |"  # noqa: SLF001  it has no other name
        for name, metric in sorted(_DECLARED.items())
    ]
    head = (
        "# Metrics\n\nMade from `src/anpr/runtime/metrics.py` by `make metrics`. Each service serves them at\n"
        "`/metrics` where `--metrics-port` or `metrics.port` says so, with those of the process\n"
        "(`process_cpu_seconds_total`, `process_resident_memory_bytes` and so on).\n\n"
        "| metric | kind | labels | |\n|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def names() -> set[str]:
    """Return every name that a query can use, those of a histogram's parts included."""
    found = set(_DECLARED)
    for name, metric in _DECLARED.items():
        if isinstance(metric, Histogram):
            found |= {f"{name}_{part}" for part in ("bucket", "count", "sum")}
    return found


def labels(name: str) -> tuple[str, ...]:
    """Return the labels of a metric, none of a name that is only a part of one."""
    return tuple(_DECLARED[name]._labelnames) if name in _DECLARED else ()  # noqa: SLF001  it has no other name


if __name__ == "__main__":
    sys.stdout.write(table())
