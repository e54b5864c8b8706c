"""Finds the configured camera that an unknown camera name may mean. Pure."""

from collections.abc import Mapping
from functools import lru_cache

from anpr.runtime.nearest import nearest, nearest_note
from anpr.runtime.settings import Site


def unknown_camera(name: str, site: str, sites: Mapping[str, Site]) -> str:
    """Return in words that a site has no camera of this name, "" where it has one."""
    known = [camera.name for camera in sites[site].cameras]
    if name in known:
        return ""
    return f"the configuration has no such camera at {site}{nearest_note(name, known, 'the nearest name is')}"


def likely_camera(name: str, site: str, sites: Mapping[str, Site]) -> str:
    """Return in words what an unknown name of a read of `site` may mean, "" when nothing is near."""
    if not name.strip():
        return "the reads name no camera"
    for other, settings in sites.items():
        if other != site and any(camera.name == name for camera in settings.cameras):
            return f"a camera of {settings.title} has this name"
    names = tuple(camera.name for camera in sites[site].cameras) if site in sites else ()
    if not names:
        return "the configuration has no camera at this site"
    near = _nearest(name, names)
    return f"the nearest is {near!r}" if near else ""


@lru_cache(maxsize=1024)
def _nearest(name: str, names: tuple[str, ...]) -> str:
    """Pages ask again and again for the same few names, which may be long."""
    return nearest(name, names)
