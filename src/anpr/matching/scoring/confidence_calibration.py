"""Confidence calibration: what a confidence of one camera counts as, by how often the camera gives it.

Cameras differ in what they call 0.9. A low confidence that half of a camera's reads have says little. One that few
reads have says much, whatever its number is. So a confidence counts by its rank: the least sure twentieth of a
camera's reads counts like the least sure twentieth of the measured reads. This needs no plates and nobody who says
which reads were right. It assumes that the camera errs as often as the measured engine, and that its confidence tells
right reads from misreads as well.

Only what a confidence says for or against a misread is calibrated. What stays as the camera says it: the score of a
pattern, the share of a candidate, and the confidences of characters.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.columns import Texts
from anpr.matching.encoding.plate_codes import Rows
from anpr.matching.scoring.likelihood import CONFIDENCE

# Reads are counted by hundredths of the confidence: from 0 to 1, both included.
BINS: Final = 101
# With so many reads, chance moves the odds of a score by less than a tenth, in 19 of 20 cases (docs/quality.md).
LEAST_READS: Final = 1_000
# Of many more, a seldom confidence is lost when shares are added up, and its ratio is no number. A camera that makes
# five reads a second has so many in six years.
MOST_READS: Final = 1_000_000_000
# Of the measured reads, so many are misreads (simulators/data/rapidocr.csv, of four characters or more).
_MISREAD_SHARE: Final = 0.092
# Added to each count, so that a confidence that was never seen is worth what its neighbours are.
_SMOOTHING: Final = 1e-3
# A hundredth of the difference that a figure of `confidence.toml` makes. Other processors may round the last bit
# otherwise, and must not count otherwise.
_DIGITS: Final = 4
_NO_ROW: Final = -1

# A camera by its site and its name.
CameraName = tuple[str, str]
Confidences = NDArray[np.float32]
# A row for each camera, a column for each hundredth.
Tables = NDArray[np.float64]


def bin_of(confidence: float) -> int:
    """Return the hundredth under which a read with this confidence is counted."""
    return round(confidence * (BINS - 1))


def log_ratios(counts: Sequence[Sequence[int]]) -> Tables:
    """Return (n, 101) what each confidence of n cameras says, as `log_ratio` in `confidence.toml`.

    `counts` says for each camera how many of its reads have each confidence, in hundredths. A lower confidence never
    says less for a misread.
    """
    right, misread = (np.cumsum([0.0, *CONFIDENCE[name]]) for name in ("right_share", "misread_share"))
    lower = _MISREAD_SHARE * misread / misread[-1] + (1 - _MISREAD_SHARE) * right / right[-1]
    smoothed = np.asarray(counts, np.float64).reshape(-1, BINS) + _SMOOTHING
    bounds = np.zeros((len(smoothed), BINS + 1))
    bounds[:, 1:] = np.cumsum(smoothed, axis=1) / smoothed.sum(axis=1, keepdims=True)
    # How much of all misreads, and of all right reads, have this confidence. Both curves bend one way only, so the
    # ratios fall; what they rise by is rounded off.
    of_misreads, of_right = (np.diff(np.interp(bounds, lower, curve / curve[-1])) for curve in (misread, right))
    ratios = np.minimum.accumulate(np.log(of_misreads / of_right), axis=1)
    return np.clip(ratios, min(CONFIDENCE["log_ratio"]), max(CONFIDENCE["log_ratio"]))


def tables_of(counts: Sequence[Sequence[int]]) -> Tables:
    """Return (n, 101) the confidence on the scale of `confidence.toml` that each hundredth of n cameras counts as."""
    scale = np.asarray(CONFIDENCE["log_ratio"]), np.asarray(CONFIDENCE["confidence"])
    return np.round(np.interp(-log_ratios(counts), -scale[0], scale[1]), _DIGITS)


def counts_as(counts: Sequence[int], confidence: float) -> float:
    """Return what a confidence of a camera with these counts counts as."""
    given = np.array([confidence], np.float32)
    return float(_interpolated(tables_of([counts]), np.zeros(1, np.intp), given)[0])


@dataclass(frozen=True)
class Calibrations:
    """The calibrated cameras: the row of each, and a table for each row."""

    rows: Mapping[CameraName, int]
    tables: Tables

    @classmethod
    def of(cls, counts: Mapping[CameraName, Sequence[int]]) -> "Calibrations":
        """Return the calibrations of cameras, given how many reads of each have each confidence."""
        return cls({camera: row for row, camera in enumerate(counts)}, tables_of(list(counts.values())))

    def __bool__(self) -> bool:
        """Tell whether there is a calibrated camera."""
        return bool(self.rows)

    def rows_of(self, cameras: Iterable[CameraName]) -> Rows:
        """Return the row of each camera; a negative number for one that is not calibrated."""
        return np.array([self.rows.get(camera, _NO_ROW) for camera in cameras], np.intp)

    def apply(self, texts: Texts, rows: Rows) -> Texts:
        """Return texts with calibrated confidences, given the row of the camera of each."""
        are_calibrated = (rows != _NO_ROW) & ~np.isnan(texts.confidences)
        calibrated = texts.confidences.copy()
        which = are_calibrated.nonzero()[0]
        calibrated[which] = _interpolated(self.tables, rows[which], texts.confidences[which])
        return texts._replace(calibrated=calibrated)


NO_CALIBRATIONS: Final = Calibrations.of({})


def _interpolated(tables: Tables, rows: Rows, confidences: Confidences) -> Confidences:
    """Return what each confidence counts as, by the table in its row: on the straight line between two hundredths."""
    positions = confidences.astype(np.float64) * (BINS - 1)
    below = np.minimum(positions.astype(np.intp), BINS - 2)
    lower, upper = tables[rows, below], tables[rows, below + 1]
    return (lower + (upper - lower) * (positions - below)).astype(np.float32)


def calibration_note(said: float, counted: float) -> str:
    """Return in words what a confidence counts as, "" where it counts as it is; both are NaN where there is none.

    What is below or above all confidences of `confidence.toml` counts as the lowest or the highest, of any camera.
    """
    lowest, highest = min(CONFIDENCE["confidence"]), max(CONFIDENCE["confidence"])
    on_scale = [f"{min(max(confidence, lowest), highest):.2f}" for confidence in (said, counted)]
    if math.isnan(said) or on_scale[0] == on_scale[1]:
        return ""
    return f"the camera says {said:.2f}, which counts as {counted:.2f} for this camera"
