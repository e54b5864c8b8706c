"""How probable it is that a read is a listed plate. A stand-in: one figure a tier, until the real one is here."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.matching.packed import EQUIVALENT, FOLDED, Packed, mapped

_SCORES: Final = np.array([0.2, 0.5, 0.9, 0.98], np.float32)  # near, folded, equivalent, exact
_OTHER_COUNTRY: Final = np.float32(0.5)
_LEAST: Final = {"folded": 0.3, "near": 0.15}


class Likelihood:
    """Scores pairs of a read and an entry."""

    def __init__(self, list_size: int) -> None:
        """`list_size` is the number of entries."""
        self.list_size = list_size

    def worth_searching(self, reads: Packed) -> NDArray[np.bool_]:
        """Return False only where no folded or near match could reach the least score."""
        return np.asarray(reads.lengths > 0)

    def score(
        self, reads: Packed, read_rows: NDArray[np.intp], entries: Packed, entry_rows: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Return for each pair how probable it is, 0..1, that this is the listed vehicle."""
        read, listed = reads.codes[read_rows], entries.codes[entry_rows]
        tiers = sum(
            np.all(mapped(read, table) == mapped(listed, table), axis=1) for table in (bytes(range(256)), EQUIVALENT)
        )
        tiers = tiers + np.all(mapped(read, FOLDED) == mapped(listed, FOLDED), axis=1)
        seen, known = reads.countries[read_rows], entries.countries[entry_rows]
        other = (seen != known) & (seen != 0) & (known != 0)
        return np.asarray(_SCORES[tiers] * np.where(other, _OTHER_COUNTRY, np.float32(1)))

    @staticmethod
    def least_score(tier: str) -> float:
        """Return the score below which a folded or near pair is no match."""
        return _LEAST.get(tier, 0.0)
