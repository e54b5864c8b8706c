"""Keeps the newest read of each camera that was not decoded whole, for the figures about cameras. Pure."""

from collections.abc import Sequence

from anpr.kafka.interfaces import Record


class CameraSample:
    """What is taken once a second, so that a burst of reads does not make its camera look silent.

    At a port's usual traffic, less than a read a second from a camera, every read is in it, or was decoded whole.
    """

    def __init__(self) -> None:
        self._newest: dict[int, Record] = {}

    def keep(self, camera: int, record: Record) -> None:
        """Keep a read that is newer than all before of this camera, which is a number."""
        self._newest[camera] = record

    def forget(self, camera: int) -> None:
        """Forget the read of a camera of which a newer one was decoded whole."""
        self._newest.pop(camera, None)

    def take(self) -> Sequence[Record]:
        """Return the reads that are kept, and keep them no longer."""
        newest, self._newest = self._newest, {}
        return list(newest.values())
