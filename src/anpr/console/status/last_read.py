"""When a vehicle was last seen: by that an officer tells a quiet road from a dead screen. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from anpr.board.site_health import SiteHealth
from anpr.runtime.settings import Site


def last_read_at(health: Iterable[SiteHealth], site: str, sites: Mapping[str, Site]) -> datetime | None:
    """Return when a camera of the site last saw a vehicle; for a site without cameras, when any camera did."""
    own = bool(sites[site].cameras)
    seen = [
        at
        for one in health
        if one.site == site or not own
        for status in one.matchers
        for at in status.cameras.values()
    ]
    return max(seen, default=None)
