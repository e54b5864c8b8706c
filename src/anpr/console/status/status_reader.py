"""Reads the system's status from a board feed, in the thread of that feed."""

from datetime import datetime

from anpr.board.board_feed import BoardFeed
from anpr.console.status.system_status import SystemStatus
from anpr.runtime.settings import Settings


def read_system_status(feed: BoardFeed, settings: Settings, now: datetime) -> SystemStatus:
    """Return all that is known, for people with the covert permission too."""
    health = tuple(feed.health(now))
    return SystemStatus(
        now=now,
        opened_at=feed.opened_at,
        unread_sites=feed.unread_sites(),
        health=health,
        cameras={
            site.site: {
                camera.name: feed.site_monitor.cameras.state(site.site, camera.name, now)
                for camera in settings.sites[site.site].cameras
            }
            for site in health
        },
        canaries=dict(feed.site_monitor.canaries),
        unreadable_records=dict(feed.unreadable_records),
        missed_records=dict(feed.missed_records),
        reads_per_second={site.site: feed.site_monitor.rates.reads_per_second(site.site) for site in health},
        problems_without_cameras=feed.problems_without_cameras(),
        unknown_cameras=feed.site_monitor.unknown_cameras(now),
        losses=feed.losses.by_site(now),
        watched_until=feed.site_monitor.watched_until(now),
        back_checks=feed.site_monitor.back_check_health(now),
        calibrated_cameras=feed.calibrated_cameras(),
        clock_set=feed.clock_set(),
    )
