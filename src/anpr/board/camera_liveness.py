"""Finds cameras that have fallen silent, compared with how often each usually makes a read. Pure.

Its only source is the matchers' status. It has no clock.

A port has lulls of half an hour between two ferries, so the length of a silence says little. The number of vehicles
that the site's other cameras have seen meanwhile says much: a camera that usually makes one of every twelve reads,
and none of the last three hundred, is blind, however short that time was.

When all cameras fall silent together, no other camera can show it. Then the silence is compared with the site's own
lulls: three times as long as the longest lull of the last day is a fault. That is known only after a while.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from anpr.contracts.events import Status

# If reads come at random, a camera misses ten times its usual share once in 20,000 times.
_TIMES_USUAL = 10
_FEWEST_READS = 50
_GAPS_KEPT = 50
_GAPS_NEEDED = 5
# If vehicles come at random, a gap of three times the longest of a hundred comes by chance once in a million gaps.
_TIMES_LONGEST = 3
_SHORTEST_SILENCE = timedelta(seconds=8)
_LEARNS_FOR = timedelta(minutes=15)
_LULLS_KEPT = timedelta(days=1)
# While a matcher reports nothing for longer than this, nobody knows whether vehicles came.
_STATUS_GAP = timedelta(seconds=5)
# No read is later than now by more than this: the clock was set back since.
_CLOCKS_DIFFER = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class CameraState:
    """A camera's last read, whether it has fallen silent, and by how many seconds its clock is ahead.

    The camera counts as silent when the site has had `silent_after_reads` reads since its last one. None: not known
    yet.
    """

    last_read_at: datetime | None
    silent_after_reads: float | None
    is_silent: bool
    clock_offset_seconds: float | None = None


@dataclass(slots=True)
class _Camera:
    last_read_at: datetime
    at_reads: int
    gaps_reads: deque[int] = field(default_factory=lambda: deque(maxlen=_GAPS_KEPT))


@dataclass(slots=True)
class _SiteLulls:
    """The times in which no camera of a site has seen a vehicle, by the counts of its matchers."""

    since: datetime
    reported_at: datetime
    seen_at: datetime
    longest_of_hour: dict[datetime, timedelta] = field(default_factory=dict)

    def note(self, at: datetime, *, has_seen: bool) -> None:
        if not timedelta() <= at - self.reported_at <= _STATUS_GAP:
            self.seen_at = at  # nobody knows what came in between, or the clock was set back
            self.since = min(self.since, at)
        self.reported_at = at
        if has_seen and at > self.seen_at:
            hour = at.replace(minute=0, second=0, microsecond=0)
            longest = self.longest_of_hour
            longest[hour] = max(at - self.seen_at, longest.get(hour, timedelta()))
            self.seen_at = at
            if at - min(longest) > _LULLS_KEPT:
                del longest[min(longest)]

    def is_silent(self, now: datetime) -> bool:
        if self.seen_at - self.since < _LEARNS_FOR:
            return False
        usual = max(self.longest_of_hour.values(), default=timedelta())
        self.seen_at = min(self.seen_at, now + _CLOCKS_DIFFER)
        return now - self.seen_at > max(_SHORTEST_SILENCE, _TIMES_LONGEST * usual)


class CameraLiveness:
    """All cameras of all sites."""

    def __init__(self, silent_after: timedelta) -> None:
        """A camera that has seen nothing for `silent_after` is silent in any case."""
        self._silent_after = silent_after
        self._cameras: dict[tuple[str, str], _Camera] = {}
        self._reads: dict[str, int] = {}
        self._lulls: dict[str, _SiteLulls] = {}
        self._counted: dict[tuple[str, str, datetime], int] = {}
        self._offsets: dict[tuple[str, str], float] = {}
        self._reported_offsets: dict[tuple[str, str, str], float] = {}
        self._reported_reads: dict[tuple[str, str, str], datetime] = {}

    def note_status(self, status: Status) -> None:
        """Note the status of a matcher."""
        matcher = (status.site, status.matcher, status.started_at)
        before = self._counted.get(matcher, status.reads)
        if matcher not in self._counted:  # what it counted before it was started again is no longer needed
            for known in [known for known in self._counted if known[:2] == matcher[:2]]:
                del self._counted[known]
        self._counted[matcher] = max(before, status.reads)
        reads = self._reads[status.site] = self._reads.get(status.site, 0) + max(0, status.reads - before)
        lulls = self._lulls.setdefault(status.site, _SiteLulls(status.at, status.at, status.at))
        lulls.note(status.at, has_seen=status.reads > before)
        for name, offset in status.clock_offset_seconds.items():
            # A matcher whose camera went to another matcher still reports its last offset. Only a change counts.
            if self._reported_offsets.get((status.site, status.matcher, name)) != offset:
                self._reported_offsets[status.site, status.matcher, name] = self._offsets[status.site, name] = offset
        for name, at in status.cameras.items():
            reported_at = self._reported_reads.get((status.site, status.matcher, name))
            self._reported_reads[status.site, status.matcher, name] = at
            camera = self._cameras.get((status.site, name))
            if camera is None:
                self._cameras[status.site, name] = _Camera(at, reads)
            elif at > camera.last_read_at or (reported_at is not None and at != reported_at):
                # Also where it is earlier: the clock that gave the last one was ahead.
                camera.gaps_reads.append(max(1, reads - camera.at_reads))
                camera.last_read_at, camera.at_reads = at, reads

    def keep_only(self, matchers: Collection[tuple[str, str]], cameras: Collection[tuple[str, str]]) -> None:
        """Forget all matchers and cameras but these, given by site and name: both names come from outside."""
        for counted in [key for key in self._counted if key[:2] not in matchers]:
            del self._counted[counted]
        for by_matcher in (self._reported_offsets, self._reported_reads):
            for key in [key for key in by_matcher if key[:2] not in matchers or (key[0], key[2]) not in cameras]:
                del by_matcher[key]
        for by_camera in (self._cameras, self._offsets):
            for camera in [key for key in by_camera if key not in cameras]:
                del by_camera[camera]

    def state(self, site: str, name: str, now: datetime) -> CameraState:
        """Return the state of a camera."""
        camera = self._cameras.get((site, name))
        reads = self._reads.get(site, 0)
        offset = self._offsets.get((site, name))
        if camera is None:
            return CameraState(None, None, reads >= _FEWEST_READS * _TIMES_USUAL, offset)
        camera.last_read_at = min(camera.last_read_at, now + _CLOCKS_DIFFER)
        is_known = len(camera.gaps_reads) >= _GAPS_NEEDED
        usual = sum(camera.gaps_reads) / len(camera.gaps_reads) if is_known else None
        silent_after = None if usual is None else max(_FEWEST_READS, _TIMES_USUAL * usual)
        misses_more = silent_after is not None and reads - camera.at_reads >= silent_after
        is_silent = misses_more or now - camera.last_read_at > self._silent_after or self._lulls[site].is_silent(now)
        return CameraState(camera.last_read_at, silent_after, is_silent, offset)
