"""Counts the work of a matcher: for its metrics, and for the status that it publishes once a second.

Covert alerts are in no count here.
"""

import math
import statistics
from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from anpr.contracts import plates
from anpr.contracts.events import TIERS, Alert, Loss, Read, Status
from anpr.contracts.no_plate import says_no_plate
from anpr.matcher.recent_read_ids import RecentReadIds
from anpr.matcher.unknown_camera_counts import UnknownCameras
from anpr.reads.claimed_time import claimed_instant
from anpr.reads.decoder import ALERT_TOO_LARGE, CLOCK_TOLERANCE, REASONS, SAYS_NO_PLATE, BadRead
from anpr.runtime import metrics
from anpr.runtime.metrics import OTHER

# No site has this many cameras. Further names come only from a fault and are left out of the status.
MAX_CAMERAS = 500
# A camera's clock offset is the median of this many of its last reads: a few late reads do not make its clock wrong.
_OFFSETS_KEPT = 15


class MatcherMetrics:
    """Counted from the matcher's start, so the difference of two counts is a rate."""

    def __init__(self, site: str, cameras: Collection[str], started_at: datetime) -> None:
        """`cameras` are those of the site's configuration; all others share one label in the metrics."""
        self.started_at = started_at
        self.counts: Counter[str] = Counter()
        self.cameras: dict[str, datetime] = {}
        # By camera, how many reads had a read id that the camera had used for another capture.
        self.reused_read_ids: Counter[str] = Counter()
        self._offsets: dict[str, deque[float]] = {}
        self._recent_read_ids = RecentReadIds()
        self.partitions = 0
        self._site = site
        self.cameras_configured = tuple(cameras)
        self._configured_cameras = frozenset(cameras)
        self.unknown_cameras = UnknownCameras(cameras)
        # Looking up a label takes longer than counting.
        self._reads, self._unreadable = metrics.READS.labels(site), metrics.UNREADABLE.labels(site)
        self._batch, self._matching = metrics.BATCH.labels(site), metrics.MATCHING.labels(site)
        metrics.LIST_ENTRIES.labels(site).set(0)
        metrics.LIST_CONFIRMED.labels(site).set(0)

    def _record_suspect_clock(self, read: Read) -> None:
        """Record how far a camera's clock is off when its time was replaced by the time of arrival."""
        claimed = claimed_instant(read.claimed_at)
        if claimed is not None and read.received_at is not None:
            offset = (claimed - read.received_at).total_seconds()
            metrics.CAMERA_CLOCK_OFFSET.labels(self._site, self._label(read.camera)).set(offset)
            self._record_offset(read.camera, offset)

    def clock_offset_seconds(self) -> dict[str, float]:
        """Return by camera the median of capture time less time of arrival, suspect clocks included."""
        return {camera: round(statistics.median(offsets), 3) for camera, offsets in self._offsets.items()}

    def record_batch(self, records: int, seconds: float) -> None:
        """Count a batch: how many records it had, and the seconds to match it."""
        self._batch.observe(records)
        self._matching.observe(seconds)

    def record_reads(self, reads: Sequence[Read]) -> None:
        """Count reads that were decoded whole, and what they say of their cameras."""
        if not reads:
            return
        self.counts["sampled_reads"] += len(reads)
        self._unreadable.inc(sum(map(_is_unreadable, reads)))
        for read in reads:
            if read.clock_suspect:
                self._record_suspect_clock(read)
            self._record_dropped_fields(read)
            if self._recent_read_ids.is_reused(read):
                self._record_reused_read_id(read.camera)
        self._record_cameras(reads)

    def record_published(
        self, reads: int, alerts: Sequence[Alert], dead_letters: Sequence[BadRead], now: datetime
    ) -> None:
        """Count acknowledged records: a number of reads, their alerts, and the dead letters."""
        self.counts["reads"] += reads
        self._reads.inc(reads)
        for alert in alerts:
            if alert.is_covert:
                continue
            self.counts["alerts"] += 1
            metrics.ALERTS.labels(self._site, alert.tier if alert.tier in TIERS else OTHER).inc()
            if alert.has_trusted_latency:
                metrics.CAPTURE_TO_PUBLISH.labels(self._site).observe((now - alert.captured_at).total_seconds())
        self.counts["dead_letters"] += len(dead_letters)
        self.counts["alerts_too_large"] += sum(error.reason == ALERT_TOO_LARGE for error in dead_letters)
        for error in dead_letters:
            self._unreadable.inc(error.detail == SAYS_NO_PLATE)
            metrics.DEAD_LETTERS.labels(self._site, error.reason if error.reason in REASONS else OTHER).inc()

    def record_losses(self, losses: Iterable[Loss]) -> None:
        """Count losses whose dead letters the broker has."""
        for loss in losses:
            partition = "all" if loss.partition is None else str(loss.partition)
            metrics.LOSSES.labels(self._site, partition).inc()
            metrics.LOST_READS.labels(self._site, partition).inc(loss.reads or 0)

    def record_status(self, status: Status) -> None:
        """Set the gauges to the status that the matcher has just published."""
        metrics.LAG.labels(self._site).set(status.lag if status.lag is not None else math.nan)
        self.partitions = status.partitions
        metrics.PARTITIONS.labels(self._site).set(status.partitions)
        metrics.LIST_ENTRIES.labels(self._site).set(status.entries)
        if status.generation is not None:
            metrics.LIST_EPOCH.labels(self._site).set(status.generation.epoch)
            metrics.LIST_NUMBER.labels(self._site).set(status.generation.number)
        for gauge, moment in (
            (metrics.LIST_APPLIED, status.list_applied_at),
            (metrics.LIST_CONFIRMED, status.list_confirmed_at),
        ):
            if moment is not None:
                gauge.labels(self._site).set(moment.timestamp())

    def _record_dropped_fields(self, read: Read) -> None:
        self.counts["dropped_fields"] += len(read.dropped_fields)
        for field in read.dropped_fields:
            metrics.DROPPED_FIELDS.labels(self._site, field).inc()

    def _record_reused_read_id(self, camera: str) -> None:
        metrics.REUSED_READ_IDS.labels(self._site, self._label(camera)).inc()
        if camera in self.reused_read_ids or len(self.reused_read_ids) < MAX_CAMERAS:
            self.reused_read_ids[camera] += 1

    def _record_cameras(self, reads: Sequence[Read]) -> None:
        """Record each camera's newest read, and how far its clock is from the broker's."""
        newest: dict[str, datetime] = {}
        offsets: dict[str, float] = {}
        unknown = 0
        for read in reads:
            label = self._label(read.camera)
            if read.received_at is not None:
                unknown += self.unknown_cameras.count_read(read.camera, read.received_at)
                newest[label] = max(newest.get(label, read.received_at), read.received_at)
            if read.captured_at is None or read.clock_suspect:
                continue
            if self._has_room(read.camera, self.cameras):
                self.cameras[read.camera] = self._last_capture(read, read.captured_at)
            if read.received_at is not None:
                offset = (read.captured_at - read.received_at).total_seconds()
                offsets[label] = max(offsets.get(label, offset), offset)
                self._record_offset(read.camera, offset)
        metrics.UNKNOWN_CAMERA_READS.labels(self._site).inc(unknown)
        for label, moment in newest.items():
            metrics.CAMERA_LAST_READ.labels(self._site, label).set(moment.timestamp())
        for label, offset in offsets.items():
            metrics.CAMERA_CLOCK_OFFSET.labels(self._site, label).set(offset)

    def _last_capture(self, read: Read, captured_at: datetime) -> datetime:
        """Return the newest capture of a camera. One ahead of the broker's clock came when the clocks were wrong."""
        known = self.cameras.get(read.camera, captured_at)
        is_ahead = read.received_at is not None and known - read.received_at > CLOCK_TOLERANCE
        return captured_at if is_ahead else max(known, captured_at)

    def _record_offset(self, camera: str, offset: float) -> None:
        if self._has_room(camera, self._offsets):
            self._offsets.setdefault(camera, deque(maxlen=_OFFSETS_KEPT)).append(offset)

    def _has_room(self, camera: str, by_camera: Collection[str]) -> bool:
        """Return whether to keep a value of this camera: unknown names never crowd out a configured camera."""
        return camera in by_camera or camera in self._configured_cameras or len(by_camera) < MAX_CAMERAS

    def _label(self, camera: str) -> str:
        return camera if camera in self._configured_cameras else OTHER


def _is_unreadable(read: Read) -> bool:
    """Return whether a position of the plate was not read, or the camera wrote a word for no plate in its place."""
    is_dropped = "plate" in read.dropped_fields
    return plates.has_unreadable(read.plate) or (is_dropped and says_no_plate(read.plate))
