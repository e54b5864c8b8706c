"""Monitors the health of each site by its matchers' status, its alerts and its canary.

A site's health is what its own matchers last reported. When they report nothing, the site is cut off, whatever the
reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from anpr.board.back_checks import BackCheckHealth, BackChecks
from anpr.board.camera_liveness import CameraLiveness
from anpr.board.journeys import ALWAYS, NEVER
from anpr.board.rates import RecentRates
from anpr.board.site_health import Canary, SiteHealth
from anpr.board.status_order import TopicPosition, is_newer
from anpr.contracts.events import ARRIVALS_UNWATCHED_AFTER, Alert, ArrivalsWatched, Status, UnknownCamera
from anpr.contracts.unknown_cameras import unknown_cameras
from anpr.runtime import metrics
from anpr.runtime.settings import Settings

# A matcher that has reported nothing for this long is gone, even if its last status was not marked `has_left`.
_MATCHER_GONE_AFTER = timedelta(minutes=1)
# A name that no matcher has used for so long is forgotten.
_NAME_KEPT_FOR = timedelta(days=1)


@dataclass(slots=True)
class _MatcherReport:
    """The newest status of a matcher, when it was received, its position on the topic, and how far it was ahead."""

    status: Status
    received_at: datetime
    position: TopicPosition
    ahead: timedelta


class SiteMonitor:
    """The health of all sites.

    Attributes:
        rates: Reads a second and latencies of the last minutes.
        cameras: Which cameras have fallen silent.
        canaries: By site, the newest canary that came back.
        back_checks: Whether somebody checks if newly listed vehicles have passed already.
    """

    def __init__(self, settings: Settings, opened_at: datetime) -> None:
        """Alerts raised before `opened_at` do not count for the latency: this board was closed then."""
        self.rates = RecentRates()
        self.cameras = CameraLiveness(timedelta(seconds=settings.board.camera_silent_after_seconds))
        self.canaries: dict[str, Canary] = {}
        self.back_checks = BackChecks(settings.back_check_sites, opened_at)
        self._settings = settings
        self._opened_at = opened_at
        self._statuses: dict[tuple[str, str], _MatcherReport] = {}
        self._heard_at: dict[str, datetime] = {}
        self._arrivals_watched: dict[str, datetime] = {}

    def note_status(self, status: Status, received_at: datetime, position: TopicPosition) -> None:
        """Note the status of a matcher, received at this time from this position on its topic."""
        site, key = status.site, (status.site, status.matcher)
        newest = self._statuses.get(key)
        if is_newer(position, newest.position if newest else None):
            self._statuses[key] = _MatcherReport(status, received_at, position, status.at - received_at)
            self.rates.note_status(status)
            self.cameras.note_status(status)
        self._heard_at[site] = max(received_at, self._heard_at.get(site, received_at))

    def note_alert(self, alert: Alert, now: datetime) -> None:
        """Note how long an alert took to arrive here."""
        if alert.raised_at < self._opened_at:
            return
        self.rates.note_alert(alert, now)
        if alert.has_trusted_latency:
            seconds = (now - alert.captured_at).total_seconds()
            metrics.CAPTURE_TO_BOARD.labels(alert.read.site).observe(seconds)

    def note_canary(self, alert: Alert, now: datetime) -> None:
        """Note that a canary has come back."""
        newest = self.canaries.get(alert.read.site)
        # One ahead of this clock was sent by a clock that was wrong.
        if newest is None or newest.sent_at < alert.captured_at or newest.sent_at > now:
            self.canaries[alert.read.site] = Canary(alert.captured_at, now)

    def note_arrivals_watched(self, watched: ArrivalsWatched) -> None:
        """Note until when expected vehicles have been looked for at a site."""
        until = self._arrivals_watched.get(watched.site, watched.until)
        self._arrivals_watched[watched.site] = max(until, watched.until)

    def watched_until(self, now: datetime) -> dict[str, datetime]:
        """Return until when arrivals were met, by site at which they should be: `ALWAYS` while they are."""
        self._forget_the_future(now)
        until = {site: self._arrivals_watched.get(site, NEVER) for site in self._settings.arrival_sites}
        return {site: moment if now - moment > ARRIVALS_UNWATCHED_AFTER else ALWAYS for site, moment in until.items()}

    def back_check_health(self, now: datetime) -> dict[str, BackCheckHealth]:
        """Return whether newly listed vehicles are looked for, by site that has a back-check or should have one."""
        self._forget_the_future(now)
        return self.back_checks.by_site(now, lambda site: self._matchers(site, now))

    def health(self, now: datetime, why_silent: Callable[[str], str]) -> list[SiteHealth]:
        """Return the health of every site that has cameras. `why_silent` gives the reason for a Kafka address."""
        silent_after = timedelta(seconds=self._settings.board.silent_after_seconds)
        self._forget_the_future(now)
        health_of_sites = []
        for site, site_settings in self._settings.sites.items():
            if site_settings.cameras:
                heard_at = self._heard_at.get(site)
                is_silent = heard_at is None or now - heard_at > silent_after
                why = why_silent(site_settings.kafka) if is_silent else ""
                matchers = self._matchers(site, now)
                ahead = {status.matcher: self._statuses[site, status.matcher].ahead for status in matchers}
                health_of_sites.append(SiteHealth(site, matchers, heard_at, is_silent, why, ahead))
        return health_of_sites

    def prune(self, now: datetime) -> None:
        """Forget the names that no matcher uses any more, and those of cameras that the configuration does not have.

        A matcher may make up a new name at each start, and a gateway a camera for each read.
        """
        for key in [key for key, old in self._statuses.items() if now - old.received_at > _NAME_KEPT_FOR]:
            del self._statuses[key]
        cameras = {(site, camera.name) for site, at in self._settings.sites.items() for camera in at.cameras}
        self.cameras.keep_only(self._statuses.keys(), cameras)

    def unknown_cameras(self, now: datetime) -> dict[str, dict[str, UnknownCamera]]:
        """Return by site, also for those without cameras, the cameras that the configuration does not name."""
        return {site: found for site in self._settings.sites if (found := unknown_cameras(self._matchers(site, now)))}

    def _forget_the_future(self, now: datetime) -> None:
        """Note what was received in the future as received now: the clock was set back since.

        So a silence after that is noticed as soon as any other.
        """
        for site, heard_at in self._heard_at.items():
            self._heard_at[site] = min(heard_at, now)
        for reported in self._statuses.values():
            reported.received_at = min(reported.received_at, now)
        for site, until in self._arrivals_watched.items():
            self._arrivals_watched[site] = min(until, now)
        self.back_checks.forget_the_future(now)
        for site, canary in self.canaries.items():
            self.canaries[site] = Canary(min(canary.sent_at, now), min(canary.came_at, now))

    def _matchers(self, site: str, now: datetime) -> tuple[Status, ...]:
        """Return the newest status of each matcher of a site that is not gone."""
        return tuple(
            reported.status
            for (status_site, _), reported in sorted(self._statuses.items())
            if status_site == site
            and not reported.status.has_left
            and now - reported.received_at < _MATCHER_GONE_AFTER
        )
