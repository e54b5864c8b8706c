"""Finds when a camera last saw a vehicle, so that officers can tell a quiet road from a dead screen. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from anpr.board.site_health import SiteHealth
from anpr.runtime.settings import Site


def last_read_at(health: Iterable[SiteHealth], site: str, sites: Mapping[str, Site]) -> datetime | None:
    """Return when a camera of the site last saw a vehicle; for a site without cameras, when any camera did."""
    has_cameras = bool(sites[site].cameras)
    read_at = [
        camera_read_at
        for site_health in health
        if site_health.site == site or not has_cameras
        for status in site_health.matchers
        for camera_read_at in status.cameras.values()
    ]
    return max(read_at, default=None)
