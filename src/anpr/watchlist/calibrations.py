"""The calibrations of the watchlist's manifest, ready to be used in matching."""

from collections.abc import Iterable

from anpr.matching.scoring.confidence_calibration import Calibrations
from anpr.watchlist.store.manifest import CameraCalibration


def calibrations_of(cameras: Iterable[CameraCalibration]) -> Calibrations:
    """Return the tables of these cameras; where one comes twice, the last counts."""
    return Calibrations.of({camera.name: camera.counts for camera in cameras})
