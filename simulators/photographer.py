"""Takes one picture of each plate at each camera, keeps it, and writes its reference into the reads."""

from datetime import datetime, timedelta
from random import Random

from msgspec.structs import replace

from anpr.runtime.clock import system_clock
from anpr.runtime.images import ImageStore
from simulators import pictures
from simulators.traffic import Sighting

_BETWEEN_SWEEPS = timedelta(minutes=10)


class Photographer:
    """Pictures of the passes of listed vehicles, or of all. All reads of one plate by one camera share a picture.

    A picture is the same for the same seed; its name is not, for it must not be guessed. What has expired is deleted
    on the way.
    """

    def __init__(self, store: ImageStore, whose: str) -> None:
        """Keep pictures in `store`, of the vehicles that `whose` (`listed` or `all`) says."""
        self._store = store
        self._all = whose == "all"
        # Of the passes under way: the reference of the picture of each plate, or badge, at each camera.
        self._taken: dict[str, dict[tuple[str, str], str]] = {}
        self._swept_at: datetime | None = None

    def picture(self, sighting: Sighting, captured_at: datetime) -> Sighting:
        """Return the sighting with its picture, where it gets one. Raises OSError when the disk refuses."""
        if not (self._all or sighting.of.vehicle.listed):
            return sighting
        self._sweep()
        going_by, read = sighting.of, sighting.read
        taken = self._taken.setdefault(going_by.pass_id, {})
        key = (read.camera, sighting.shown.text)
        if key not in taken:
            rng = Random(f"{going_by.pass_id} {read.camera}")
            jpeg = pictures.render(sighting.shown, read.position or "front", sighting.quality, rng)
            taken[key] = self._store.put(read.site, captured_at, jpeg)
        if sighting.last_of_pass:
            del self._taken[going_by.pass_id]
        return sighting._replace(read=replace(read, image=taken[key]))

    def _sweep(self) -> None:
        now = system_clock()
        if self._swept_at is None or now - self._swept_at >= _BETWEEN_SWEEPS:
            self._store.sweep(now)
            self._swept_at = now
