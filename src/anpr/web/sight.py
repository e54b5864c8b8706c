"""What is known of the health of all sites at one moment: values, taken from the board feed in its thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from anpr.services.board_feed import BoardFeed, Canary, SiteHealth
from anpr.services.camera_watch import CameraState
from anpr.settings import Settings
from anpr.topics import covert_actions, covert_alerts


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything by which one can tell a quiet road from a broken system."""

    now: datetime
    opened_at: datetime
    caught_up: bool
    health: tuple[SiteHealth, ...]
    cameras: Mapping[str, Mapping[str, CameraState]]
    canaries: Mapping[str, Canary]
    refused: Mapping[str, int]
    reads_per_second: Mapping[str, float]
    without_cameras: Mapping[str, str]


def sight_of(feed: BoardFeed, settings: Settings, now: datetime, *, covert: bool) -> Sight:
    """Return what is known; of what is covert only to those with the right."""
    health = tuple(feed.health(now))
    covert_topics = {name for site in settings.sites for name in (covert_alerts(site), covert_actions(site))}
    return Sight(
        now=now,
        opened_at=feed.opened_at,
        caught_up=feed.caught_up(),
        health=health,
        cameras={
            one.site: {c.name: feed.cameras.state(one.site, c.name, now) for c in settings.sites[one.site].cameras}
            for one in health
        },
        canaries=dict(feed.canaries),
        refused={topic: count for topic, count in feed.refused.items() if covert or topic not in covert_topics},
        reads_per_second={one.site: feed.rates.reads_per_second(one.site) for one in health},
        without_cameras=feed.without_cameras(),
    )
