"""Chooses one read of each camera for each second, for the figures about cameras. Pure."""

from collections.abc import Collection
from datetime import datetime


class CameraSample:
    """What was chosen of each camera, by the broker's time of arrival.

    At a port's usual traffic, less than a read a second from a camera, every read is chosen. A camera that the
    configuration does not name is a fault that somebody must see whole: each of its reads is chosen.
    """

    def __init__(self, configured: Collection[str]) -> None:
        """`configured` are the names of the site's cameras."""
        self._configured = frozenset(configured)
        self._second: dict[str, int] = {}

    def is_chosen(self, camera: str, arrived_at: datetime) -> bool:
        """Return whether a read is the first of its camera in this second, and remember it."""
        if camera not in self._configured:
            return True
        second = int(arrived_at.timestamp())
        if self._second.get(camera) == second:
            return False
        self._second[camera] = second
        return True
