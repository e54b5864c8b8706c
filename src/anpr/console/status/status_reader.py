"""Reads the status of the system from a board feed, in the thread of that feed."""

from datetime import datetime

from anpr.board.board_feed import BoardFeed
from anpr.console.status.system_status import SystemStatus
from anpr.contracts import topics
from anpr.runtime.settings import Settings


def system_status_of(feed: BoardFeed, settings: Settings, now: datetime, *, covert: bool) -> SystemStatus:
    """Return what is known; of what is covert only to those with the right."""
    health = tuple(feed.health(now))
    covert_topics = {topic for site in settings.sites for topic in topics.covert(site)}
    return SystemStatus(
        now=now,
        opened_at=feed.opened_at,
        caught_up=feed.caught_up(),
        health=health,
        cameras={
            one.site: {
                camera.name: feed.site_monitor.cameras.state(one.site, camera.name, now)
                for camera in settings.sites[one.site].cameras
            }
            for one in health
        },
        canaries=dict(feed.site_monitor.canaries),
        refused={
            topic: count for topic, count in feed.unreadable_records.items() if covert or topic not in covert_topics
        },
        reads_per_second={one.site: feed.site_monitor.rates.reads_per_second(one.site) for one in health},
        without_cameras=feed.problems_without_cameras(),
    )
