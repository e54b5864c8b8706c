"""What a camera's doubts are worth, by how often it has them: a table like `confidence.toml`, learned without plates.

Engines differ in what they call 0.9. A doubt that half of all reads have says little, one that is seldom says much,
whatever its number is. So a confidence counts like the one that is as low among the measured reads as this one is
among the camera's own: the least sure twentieth of its reads counts like their least sure twentieth. This needs no
plates and nobody who says which reads were right. It assumes that the camera errs as often as the measured engine,
and that its confidence tells right reads from misreads as well.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.matching.scoring.likelihood import CONFIDENCE

# The reads are counted by hundredths of the confidence.
BINS: Final = 101
# Of the measured reads, so many are misreads (simulators/data/rapidocr.csv, of four characters or more).
_MISREAD_SHARE = 0.092

Counts = NDArray[np.int64]


def counts_of(confidences: NDArray[np.float32]) -> Counts:
    """Return how many reads have each confidence, in hundredths. A read without a confidence counts nowhere."""
    known = confidences[~np.isnan(confidences)]
    return np.bincount(np.rint(known * (BINS - 1)).astype(np.intp), minlength=BINS)


def confidence_table(counts: Counts) -> Mapping[str, Sequence[float]]:
    """Return what each confidence of a camera says, from how many of its reads have each: log_ratio by confidence."""
    right, misread = (np.cumsum([0.0, *CONFIDENCE[name]]) for name in ("right_share", "misread_share"))
    lower = _MISREAD_SHARE * misread / misread[-1] + (1 - _MISREAD_SHARE) * right / right[-1]
    # A little is added to each, so that a confidence that was never seen is worth what its neighbours are.
    smoothed = counts + 1e-3
    bounds = np.cumsum([0.0, *smoothed]) / smoothed.sum()
    # How much of all misreads, and of all right reads, have this confidence. Both curves bend one way only, so a
    # lower confidence never speaks less for a misread.
    of_misreads, of_right = (np.diff(np.interp(bounds, lower, curve / curve[-1])) for curve in (misread, right))
    ratios = np.log(of_misreads / of_right)
    highest, least = max(CONFIDENCE["log_ratio"]), min(CONFIDENCE["log_ratio"])
    return {
        "confidence": np.linspace(0, 1, BINS).tolist(),
        "log_ratio": np.clip(ratios, least, highest).tolist(),
    }
