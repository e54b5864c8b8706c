"""The watchlist's home: the Redis of the first site. Changes are made there; other sites read replicas."""

from datetime import timedelta

import redis

from anpr.runtime.settings import Settings, TopicSettings
from anpr.watchlist.store.reader import WatchlistReader, connect, unavailable
from anpr.watchlist.store.store import WatchlistStore

# A change of a million entries keeps Redis busy for seconds, so a Redis that has answered once gets this long.
_PATIENCE_SECONDS = 30


def home_site(settings: Settings) -> str:
    """Return the site whose Redis is the watchlist's home."""
    return next(iter(settings.sites))


def home_store(settings: Settings, *, may_be_away: bool = False) -> WatchlistStore:
    """Return the watchlist at its home, to read and to change.

    Raises UnavailableError when Redis does not answer soon, unless `may_be_away`, as a service allows.
    """
    url = settings.sites[home_site(settings)].redis
    if not may_be_away:
        _require_answer(url)
    return WatchlistStore(
        connect(url, _PATIENCE_SECONDS),
        tombstone_retention(settings.topics),
        settings.watchlist.keep_previous,
        timedelta(hours=settings.watchlist.keep_previous_hours),
        connect(url),
    )


def watchlist_reader(settings: Settings, site: str | None = None, *, may_be_away: bool = False) -> WatchlistReader:
    """Return the watchlist to read only: from a site's own replica, or without `site` at its home.

    Raises UnavailableError as `home_store` does.
    """
    url = settings.sites[site or home_site(settings)].redis
    if not may_be_away:
        _require_answer(url)
    return WatchlistReader(connect(url, _PATIENCE_SECONDS), connect(url))


def tombstone_retention(settings: TopicSettings) -> timedelta:
    """Return how long the list must remember an ended entry: as long as its alerts are kept."""
    return timedelta(hours=settings.alerts_retention_hours)


def _require_answer(url: str) -> None:
    """Raise UnavailableError soon if Redis hangs, so that nobody waits for the long time-out."""
    try:
        with connect(url) as client:
            client.ping()
    except redis.RedisError as error:
        raise unavailable(error) from error
