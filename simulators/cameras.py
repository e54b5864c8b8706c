"""The lanes of a site and their cameras, and how each camera writes a plate."""

import re
from typing import NamedTuple

from anpr.runtime.settings import Site

# Cameras of several makers stand side by side. Each camera of a site writes in the next of these styles.
_STYLES = ("plain", "plain", "spaced", "plain", "hyphened", "lower")
# Cameras of these styles report a confidence for each character, and candidates.
_REPORTING_STYLES = frozenset({"plain", "spaced"})
_BETWEEN_GROUPS = re.compile("(?<=[0-9])(?=[A-Z])|(?<=[A-Z])(?=[0-9])")


class Camera(NamedTuple):
    """One camera: the end of the vehicle that it sees, and its style of writing plates."""

    name: str
    position: str
    direction: str
    style: str

    @property
    def reports_confidences(self) -> bool:
        """Whether it reports a confidence for each character, and candidates."""
        return self.style in _REPORTING_STYLES

    def write(self, text: str) -> str:
        """Return the canonical text as this camera writes it."""
        if self.style == "plain":
            return text
        if self.style == "lower":
            return text.lower()
        return _BETWEEN_GROUPS.sub(" " if self.style == "spaced" else "-", text)


class Lane(NamedTuple):
    """A lane and its cameras, in the order in which a vehicle passes them."""

    name: str
    cameras: tuple[Camera, ...]


def lanes(site: Site) -> list[Lane]:
    """Return the lanes of a site, from its settings."""
    by_lane: dict[str, list[Camera]] = {}
    for number, camera in enumerate(site.cameras):
        style = _STYLES[number % len(_STYLES)]
        by_lane.setdefault(camera.lane, []).append(Camera(camera.name, camera.position, camera.direction, style))
    return [
        Lane(name, tuple(sorted(cameras, key=lambda camera: camera.position == "rear")))
        for name, cameras in by_lane.items()
    ]
