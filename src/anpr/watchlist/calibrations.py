"""The calibrations of the watchlist's manifest, ready to be used in matching."""

from collections.abc import Iterable
from functools import lru_cache

from anpr.matching.scoring.confidence_calibration import Calibrations
from anpr.watchlist.store.manifest import CameraCalibration


def calibrations_of(cameras: Iterable[CameraCalibration]) -> Calibrations:
    """Return the tables of these cameras; where one comes twice, the last counts."""
    return _calibrations_of(tuple(cameras))


# Nearly all changes leave the calibrations as they are.
@lru_cache(maxsize=1)
def _calibrations_of(cameras: tuple[CameraCalibration, ...]) -> Calibrations:
    return Calibrations.of({camera.name: camera.counts for camera in cameras})
