"""Vehicles as the tables say that they go by: plates drawn by how common they are, and reads of them by how they err.

It is what the likelihood believes, made into traffic: good for asking what a list would find and cost before there
are reads to ask it of. Measured reads say how far that belief is from life (docs/quality.md).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import UNREADABLE, WIDTH, PlateCodes, no_confidences
from anpr.matching.scoring.background_model import DIGITS, LETTERS, BackgroundModel
from anpr.matching.scoring.confusion_model import ConfusionModel
from anpr.matching.scoring.likelihood import CONFIDENCE

# Of misreads with more than one edit, those with two; the others have three.
_TWO_EDITS_SHARE = 0.65


class SyntheticTraffic:
    """Draws vehicles and reads. The same tables and random numbers give the same ones."""

    def __init__(
        self,
        densities: BackgroundModel,
        misreads: ConfusionModel,
        random: np.random.Generator,
        confidence: Mapping[str, Sequence[float]] = CONFIDENCE,
    ) -> None:
        """Take the tables and the random numbers."""
        self._densities = densities
        self._misreads = misreads
        self._random = random
        self._confidence = confidence

    def plates(self, count: int) -> PlateCodes:
        """Draw plates of any vehicles."""
        rows = 1 + self._random.choice(len(self._densities.countries), size=count, p=self._densities.shares[1:])
        codes = np.zeros((count, WIDTH), np.uint8)
        for row in np.unique(rows).tolist():
            of_country = np.flatnonzero(rows == row)
            codes[of_country] = self._plates_of(row, len(of_country))
        return _packed(codes, self._densities.countries[rows - 1])

    def misread(self, plates: PlateCodes) -> PlateCodes:
        """Return how each plate is read when it is misread."""
        codes = plates.codes.copy()
        edits = 1 + (self._random.random(len(codes)) > self._misreads.alone_share).astype(int)
        edits += (edits == 2) & (self._random.random(len(codes)) > _TWO_EDITS_SHARE)
        for row, count in enumerate(edits.tolist()):
            # Two edits may undo each other; then it is no misread yet.
            while plates.lengths[row] and (codes[row] == plates.codes[row]).all():
                for _ in range(count):
                    self._edit(codes[row])
        return _packed(codes, plates.countries, self._confidences("misread_share", len(codes)))

    def read(self, plates: PlateCodes) -> PlateCodes:
        """Return how each plate is read: right, as often as that is so, or misread."""
        wrong = np.flatnonzero(self._random.random(len(plates)) > self._misreads.right_share)
        codes, told = plates.codes.copy(), self._confidences("right_share", len(plates))
        misread = self.misread(plates.take(wrong))
        codes[wrong], told[wrong] = misread.codes, misread.confidences
        return _packed(codes, plates.countries, told)

    def _confidences(self, of: str, count: int) -> NDArray[np.float32]:
        told = self._random.choice(self._confidence["confidence"], size=count, p=self._confidence[of])
        return told.astype(np.float32)

    def _plates_of(self, row: int, count: int) -> NDArray[np.uint8]:
        layouts = self._densities.layouts[row] / self._densities.layouts[row].sum()
        drawn = self._random.choice(len(layouts), size=count, p=layouts)
        lengths = np.floor(np.log2(np.maximum(drawn, 1))).astype(int)
        places = np.arange(WIDTH)
        is_letter = (drawn[:, None] >> places) & 1 == 1
        codes = np.zeros((count, WIDTH), np.uint8)
        for kind, wanted in ((LETTERS, is_letter), (DIGITS, ~is_letter)):
            there = wanted & (places < lengths[:, None])
            shares = self._densities.characters[row, kind]
            characters = np.arange(kind.start, kind.start + len(shares))
            codes[there] = self._random.choice(characters, size=int(there.sum()), p=shares / shares.sum())
        return codes

    def _edit(self, codes: NDArray[np.uint8]) -> None:
        """Make one edit in a text, where and how it is likeliest."""
        length = int(np.count_nonzero(codes))
        if length == 0:
            return
        rates = self._misreads.substitution[codes[:length], :UNREADABLE]
        kinds = np.array([rates.sum(), self._misreads.deletion[codes[:length]].sum(), length * self._insertions()])
        match self._random.choice(3, p=kinds / kinds.sum()):
            case 0:
                place, became = divmod(self._random.choice(rates.size, p=rates.ravel() / rates.sum()), rates.shape[1])
                codes[place] = became
            case 1:
                lost = self._misreads.deletion[codes[:length]]
                place = self._random.choice(length, p=lost / lost.sum())
                codes[place:] = [*codes[place + 1 :], 0]
            case _ if length < WIDTH:
                place = self._random.integers(length + 1)
                codes[place:] = [self._random.integers(1, rates.shape[1]), *codes[place:-1]]

    def _insertions(self) -> float:
        return self._misreads.insertion * (UNREADABLE - 1)


def _packed(
    codes: NDArray[np.uint8], countries: NDArray[np.uint16], confidences: NDArray[np.float32] | None = None
) -> PlateCodes:
    lengths = np.count_nonzero(codes, axis=1).astype(np.uint8)
    told = no_confidences(len(codes)) if confidences is None else confidences
    return PlateCodes(np.ascontiguousarray(codes), lengths, countries, told)
