"""Takes one picture of each plate at each camera, stores it, and writes its reference into the reads."""

from datetime import datetime, timedelta
from random import Random

from msgspec.structs import replace

from anpr.runtime.clock import system_clock
from anpr.runtime.images import ImageStore
from simulators import plate_pictures
from simulators.traffic import Sighting

_BETWEEN_SWEEPS = timedelta(minutes=10)


class Photographer:
    """Takes pictures of listed vehicles, or of all. All reads of one plate by one camera share a picture.

    The same seed gives the same pictures, but not the same names, because nobody must be able to guess a name.
    Expired pictures are deleted during the run.
    """

    def __init__(self, store: ImageStore, whose: str) -> None:
        """Store pictures of `whose` vehicles (`listed` or `all`) in `store`."""
        self._store = store
        self._all = whose == "all"
        # By pass under way, camera and plate or badge: the reference of the picture.
        self._taken: dict[str, dict[tuple[str, str], str]] = {}
        self._swept_at: datetime | None = None

    def picture(self, sighting: Sighting, captured_at: datetime) -> Sighting:
        """Return the sighting with its picture, if it gets one. Raises OSError when the disk refuses."""
        if not (self._all or sighting.vehicle_pass.vehicle.listed):
            return sighting
        self._sweep()
        vehicle_pass, read = sighting.vehicle_pass, sighting.read
        taken = self._taken.setdefault(vehicle_pass.pass_id, {})
        key = (read.camera, sighting.true_plate.text)
        if key not in taken:
            rng = Random(f"{vehicle_pass.pass_id} {read.camera}")
            jpeg = plate_pictures.render(sighting.true_plate, read.position or "front", sighting.quality, rng)
            taken[key] = self._store.put(read.site, captured_at, jpeg)
        if sighting.is_last_of_pass:
            del self._taken[vehicle_pass.pass_id]
        return sighting._replace(read=replace(read, image=taken[key]))

    def _sweep(self) -> None:
        now = system_clock()
        if self._swept_at is None or now - self._swept_at >= _BETWEEN_SWEEPS:
            self._store.sweep(now)
            self._swept_at = now
