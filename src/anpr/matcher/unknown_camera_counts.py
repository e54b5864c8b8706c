"""Counts the reads of cameras that the configuration does not name. Pure.

Names come from outside, and a broken gateway may invent a new one for every read. So only some names are kept: those
with the most reads.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from anpr.contracts.events import MOST_UNKNOWN_CAMERAS, UnknownCamera

MOST_KEPT = 500
# A name that was corrected disappears this long after its last read.
FORGOTTEN_AFTER = timedelta(hours=1)


class UnknownCameras:
    """The unknown names of one site's reads."""

    def __init__(self, configured: Collection[str]) -> None:
        """`configured` are the names of the site's cameras."""
        self._configured = frozenset(configured)
        self._cameras: dict[str, UnknownCamera] = {}

    def count_read(self, name: str, at: datetime) -> bool:
        """Count a read that arrived at this time. Return whether its camera is unknown."""
        if name in self._configured:
            return False
        before = self._cameras.get(name)
        if before is None and len(self._cameras) >= MOST_KEPT:
            self._cameras = dict(self._most(MOST_KEPT // 2))
        self._cameras[name] = UnknownCamera(
            reads=before.reads + 1 if before else 1, last_read_at=max(before.last_read_at, at) if before else at
        )
        return True

    def at(self, now: datetime) -> dict[str, UnknownCamera]:
        """Return the names with the most reads, after forgetting those without a read for long."""
        self._cameras = {
            name: camera for name, camera in self._cameras.items() if now - camera.last_read_at < FORGOTTEN_AFTER
        }
        return dict(self._most(MOST_UNKNOWN_CAMERAS))

    def count(self) -> int:
        """Return how many names are kept."""
        return len(self._cameras)

    def _most(self, count: int) -> list[tuple[str, UnknownCamera]]:
        return sorted(self._cameras.items(), key=lambda item: (-item[1].reads, item[0]))[:count]
