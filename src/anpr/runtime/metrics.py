"""All metrics are declared here and nowhere else. `make metrics` writes docs/metrics.md from this file.

Every label is bounded: by the configuration (site, camera, partition) or by a list in the code (tier, reason, field).
No metric counts covert alerts: people who may see a graph must not learn that there was one. Services update metrics
once a batch or once a second, never once a read.
"""

import sys
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.metrics import MetricWrapperBase

REGISTRY: Final = CollectorRegistry()
# The label for unknown names, such as a camera that is not configured, so that the number of labels stays bounded.
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

READS = _counter("anpr_reads_total", "Reads matched and committed, repeats included.", "site")
ALERTS = _counter("anpr_alerts_total", "Alerts published, repeats included, covert ones not.", "site", "tier")
DEAD_LETTERS = _counter(
    "anpr_dead_letters_total", "Records that could not be matched and were kept as dead letters.", "site", "reason"
)
LOST_READS = _counter(
    "anpr_lost_reads_total",
    "Reads that the broker deleted before a matcher had read them, as far as their number is known.",
    "site",
    "partition",
)
LOSSES = _counter(
    "anpr_losses_total",
    "Gaps found in the reads topic, also those of which nobody knows how many reads. Partition `all`: the topic was "
    "deleted and created again.",
    "site",
    "partition",
)
DROPPED_FIELDS = _counter(
    "anpr_dropped_fields_total",
    "Bad fields dropped from the reads that were decoded whole: all if no camera sends more than one a second. "
    "`candidates`: some of them, or of their confidences, were bad. `plate`: only candidates could be matched.",
    "site",
    "field",
)
UNREADABLE = _counter(
    "anpr_unreadable_reads_total",
    "Reads with a position that was not read, by the camera or by any table, or with a word for no plate.",
    "site",
)
REUSED_READ_IDS = _counter(
    "anpr_reused_read_ids_total",
    "Reads whose read id the camera had used for another capture: it has restarted, or two devices share its name.",
    "site",
    "camera",
)
UNKNOWN_CAMERA_READS = _counter(
    "anpr_unknown_camera_reads_total",
    "Reads whose camera the configuration does not name. They are matched like all others.",
    "site",
)
CAPTURE_TO_PUBLISH = _histogram(
    "anpr_capture_to_publish_seconds",
    "From the camera's capture until the broker has the alert. Live alerts only, covert ones not.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    "site",
)
MATCHING = _histogram(
    "anpr_matching_seconds",
    "Time to decode and match one batch.",
    (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5),
    "site",
)
BATCH = _histogram(
    "anpr_batch_reads", "Records in one batch.", (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000), "site"
)
LAG = _gauge("anpr_lag_reads", "Reads that wait in this matcher's partitions.", "site")
PARTITIONS = _gauge(
    "anpr_partitions", "Partitions of the reads topic that this matcher has; 0 when it only stands by.", "site"
)
LIST_EPOCH = _gauge(
    "anpr_list_generation_epoch", "Epoch of the watchlist generation that is active in this matcher.", "site"
)
LIST_NUMBER = _gauge(
    "anpr_list_generation_number",
    "Number of the watchlist generation that is active in this matcher, within its epoch.",
    "site",
)
LIST_ENTRIES = _gauge("anpr_list_entries", "Active entries in this matcher; 0 while it has no watchlist.", "site")
LIST_APPLIED = _gauge(
    "anpr_list_applied_timestamp_seconds", "When the generation that is active in this matcher was applied.", "site"
)
LIST_CONFIRMED = _gauge(
    "anpr_list_confirmed_timestamp_seconds",
    "When Redis last confirmed that this generation is active; 0 when never since the start.",
    "site",
)
CAMERA_LAST_READ = _gauge(
    "anpr_camera_last_read_timestamp_seconds", "When the newest read of a camera arrived.", "site", "camera"
)
CAMERA_CLOCK_OFFSET = _gauge(
    "anpr_camera_clock_offset_seconds",
    "Capture time minus time of arrival, the largest of the last batch. Above 0 the camera's clock is ahead; far "
    "below 0 it is behind, or its reads come late.",
    "site",
    "camera",
)

# --- the gateway ---

SENT = _counter("anpr_sent_reads_total", "Lines that the broker has acknowledged.", "site")
UNMATCHABLE = _counter("anpr_unmatchable_lines_total", "Lines sent although no matcher can match them.", "site")
REFUSED_LINES = _counter("anpr_refused_lines_total", "Lines that are too long to send.", "site")
SPOOLED = _gauge("anpr_spooled_lines", "Lines on the gateway's disk that the broker does not have yet.", "site")

# --- the index builder ---

INDEX_BUILD = _histogram(
    "anpr_index_build_seconds",
    "Time to write a snapshot of the index from Redis (whole) or by compaction (merge), or to write a delta.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    "kind",
)
INDEX_EPOCH = _gauge("anpr_index_generation_epoch", "Epoch of the watchlist generation in the index on disk.")
INDEX_NUMBER = _gauge("anpr_index_generation_number", "Number of that generation, within its epoch.")
INDEX_ENTRIES = _gauge("anpr_index_entries", "Entries in the index on disk.")
INDEX_DELTA_ENTRIES = _gauge("anpr_index_changed_entries", "Entries put or removed since the snapshot of the index.")
COMPACTION_FAILURES = _counter(
    "anpr_index_merge_failures_total",
    "Failed compactions of the index. The builder tries again after a longer wait each time.",
)
INDEX_BYTES = _gauge("anpr_index_bytes", "Size of the index on disk.")
INDEX_CONFIRMED = _gauge(
    "anpr_index_confirmed_timestamp_seconds",
    "When Redis last confirmed that the index on disk has the active generation.",
)

# --- the list keeper ---

EXPIRED = _counter("anpr_expired_entries_total", "Entries removed from their list because their validity ended.")

# --- the history ---

HISTORY_SIGHTINGS = _counter(
    "anpr_history_sightings_total", "Sightings committed by this history service, repeats included.", "site"
)
HISTORY_UNUSABLE = _counter(
    "anpr_history_unusable_records_total",
    "Records of the reads topic that are no sighting: canaries, what no matcher can match, and erased reads.",
    "site",
)
HISTORY_LAG = _gauge("anpr_history_lag_reads", "Reads that wait for this history service.", "site")
HISTORY_LOST = _counter(
    "anpr_history_lost_reads_total",
    "Reads that the broker deleted before this history service had stored them, as far as their number is known.",
    "site",
)
BACK_CHECK_SEARCHES = _gauge(
    "anpr_back_check_searches", "Changes of the lists whose new entries this back-check still looks for.", "site"
)
BACK_CHECK_WAITING = _gauge(
    "anpr_back_check_waiting_records", "Stored records that the back-check has yet to go through.", "site"
)
ARRIVALS = _counter(
    "anpr_arrivals_met_total", "Expected vehicles that were seen at this port, without covert ones.", "site"
)
ARRIVALS_WATCHED = _gauge(
    "anpr_arrivals_watched_until_timestamp_seconds",
    "Until when expected vehicles have been looked for among all reads of this port; 0 when never since the start.",
    "site",
)
HISTORY_COMMIT = _histogram(
    "anpr_history_commit_seconds",
    "Time to decode one batch of reads and commit it.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    "site",
)
HISTORY_LOOK_UPS = _counter(
    "anpr_history_look_ups_total",
    "Look-ups that this site was asked for, by asking site and result: `answered`, or the code of the error. "
    "`other`: the token was not accepted.",
    "site",
    "asking_site",
    "result",
)
HISTORY_LOOK_UP = _histogram(
    "anpr_history_look_up_seconds",
    "Time to answer one look-up: search, misreads and audit record.",
    (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    "site",
)

HISTORY_GONE = _counter(
    "anpr_history_erased_sightings_total",
    "Sightings that went with their day because it had been kept for long enough; those that an alert keeps in "
    "another store count too.",
    "site",
)
HISTORY_OLDEST = _gauge(
    "anpr_history_oldest_day_timestamp_seconds",
    "When the oldest day began of which sightings without an alert are kept; 0 when there is none.",
    "site",
)

# --- the console ---

CONSOLE_LAST_STATUS = _gauge(
    "anpr_console_site_heard_timestamp_seconds",
    "When this console last received a status from a site's matchers; 0 when never.",
    "site",
)
CONSOLE_CANARY_SENT = _gauge(
    "anpr_console_canary_sent_timestamp_seconds",
    "When the last test plate (canary) of a site that arrived here was sent.",
    "site",
)
CONSOLE_CANARY_SECONDS = _gauge(
    "anpr_console_canary_seconds", "Time that this test plate took from the camera to this console.", "site"
)
CAPTURE_TO_BOARD = _histogram(
    "anpr_capture_to_board_seconds",
    "From the camera's capture until the alert is on this console's board. Live alerts only, covert ones not.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    "site",
)
CONSOLE_LOSSES = _gauge(
    "anpr_console_losses",
    "Losses of a site that nobody has acknowledged: reads that the broker deleted before a matcher had read them.",
    "site",
)
CONSOLE_UNREADABLE = _counter(
    "anpr_console_unreadable_records_total", "Records of a site that the board cannot read, covert ones not.", "site"
)
CONSOLE_INCIDENTS = _gauge(
    "anpr_console_open_incidents", "Incidents on the board's page by section, covert ones not.", "lane"
)
CONSOLE_FAULTS = _gauge("anpr_console_faults", "Warnings that the page shows. Above 0 its count is `?`.")
CONSOLE_BROWSERS = _gauge("anpr_console_browsers", "Browsers that follow the page.")
CONSOLE_EVENTS = _counter(
    "anpr_console_events_total", "Changes sent to browsers of people without the covert permission."
)
CONSOLE_SIGN_INS = _counter(
    "anpr_console_sign_ins_total",
    "Attempts to sign in: done, wrong (name or password), too_many, other_site, unavailable.",
    "result",
)

# --- every service ---

REJECTIONS = _counter("anpr_broker_refusals_total", "Rejections by the broker. The service retries each.", "code")

LAST_RUN = _gauge("anpr_loop_last_turn_timestamp_seconds", "When the service's loop last ran.", "service")
STATE_FREE = _gauge("anpr_state_dir_free_bytes", "Free space on the disk that holds state_dir.")


def table() -> str:
    """Return docs/metrics.md."""
    rows = [
        f"| `{name}` | {type(metric).__name__.lower()} | {', '.join(labels(name))} | {metric._documentation} |"  # noqa: SLF001  it has no other name
        for name, metric in sorted(_DECLARED.items())
    ]
    head = (
        "# Metrics\n\n`make metrics` writes this page from `src/anpr/runtime/metrics.py`. Each service serves its\n"
        "metrics at `/metrics`, on the port of `--metrics-port` or `metrics.port`, with those of its process\n"
        "(`process_cpu_seconds_total`, `process_resident_memory_bytes` and so on).\n\n"
        "| metric | kind | labels | meaning |\n|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def names() -> set[str]:
    """Return every name that a query can use, including the parts of histograms."""
    query_names = set(_DECLARED)
    for name, metric in _DECLARED.items():
        if isinstance(metric, Histogram):
            query_names |= {f"{name}_{part}" for part in ("bucket", "count", "sum")}
    return query_names


def labels(name: str) -> tuple[str, ...]:
    """Return the labels of a metric, nothing for a name that is only a part of one."""
    return tuple(_DECLARED[name]._labelnames) if name in _DECLARED else ()  # noqa: SLF001  it has no other name


if __name__ == "__main__":
    sys.stdout.write(table())
