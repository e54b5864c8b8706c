"""The health of all sites at one moment. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from anpr.board.back_checks import BackCheckHealth
from anpr.board.camera_liveness import CameraState
from anpr.board.site_health import CalibratedCamera, Canary, ClockSet, SiteHealth
from anpr.contracts import topics
from anpr.contracts.events import UnknownCamera
from anpr.contracts.losses import SiteLosses


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """Everything that tells a quiet road from a broken system.

    Attributes:
        now: When it was computed.
        opened_at: When this console began to read.
        unread_sites: The sites whose topics have not been read yet as far as they went at that time.
        health: The health of each site that has cameras.
        cameras: By site and camera, whether it sees vehicles.
        unknown_cameras: By site and name, the cameras that made reads although the configuration does not name them.
        canaries: By site, the newest canary that came back.
        unreadable_records: By topic, how many records could not be read.
        missed_records: By topic, how many records the broker deleted before this console had read them.
        reads_per_second: By site.
        problems_without_cameras: By site without cameras, why its broker sends nothing, "" when all is well.
        losses: By site, the reads that its broker deleted before they were checked.
        calibrated_cameras: By site, the cameras whose confidence is calibrated.
        clock_set: How the clock of this console's machine was set within the last hour.
        back_checks: By site that has a back-check or should have one, whether newly listed vehicles are looked for.
        watched_until: By site at which arrivals should be met, until when they were (`journeys.arrival_state`).
    """

    now: datetime
    opened_at: datetime
    unread_sites: frozenset[str]
    health: tuple[SiteHealth, ...]
    cameras: Mapping[str, Mapping[str, CameraState]]
    canaries: Mapping[str, Canary]
    unreadable_records: Mapping[str, int]
    missed_records: Mapping[str, int]
    reads_per_second: Mapping[str, float]
    problems_without_cameras: Mapping[str, str]
    losses: Mapping[str, SiteLosses]
    unknown_cameras: Mapping[str, Mapping[str, UnknownCamera]] = field(default_factory=dict)
    watched_until: Mapping[str, datetime] = field(default_factory=dict)
    back_checks: Mapping[str, BackCheckHealth] = field(default_factory=dict)
    calibrated_cameras: Mapping[str, tuple[CalibratedCamera, ...]] = field(default_factory=dict)
    clock_set: ClockSet | None = None

    @property
    def caught_up(self) -> bool:
        """Whether everything that the topics held when this console began to read has been read."""
        return not self.unread_sites

    @property
    def reads_waiting(self) -> int | None:
        """How many reads no matcher has checked yet; None where some matcher does not know."""
        lags = [status.lag for site in self.health for status in site.matchers]
        return None if None in lags else sum(lag for lag in lags if lag is not None)


def for_everybody(status: SystemStatus, sites: Iterable[str]) -> SystemStatus:
    """Return what everybody may know of a status: nothing of the covert topics."""
    covert_topics = {topic for site in sites for topic in topics.covert(site)}

    def known(counts: Mapping[str, int]) -> dict[str, int]:
        return {topic: count for topic, count in counts.items() if topic not in covert_topics}

    return replace(
        status,
        unreadable_records=known(status.unreadable_records),
        missed_records=known(status.missed_records),
    )
