"""Draws vehicles and reads from the models that matching uses: common plates often, likely misreads often.

It shows what a list would find and cost before there are real reads. Measured reads show how far the models are from
real life (docs/quality.md).
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
    """Draws vehicles and reads. The same models and random numbers give the same ones."""

    def __init__(
        self,
        background_model: BackgroundModel,
        confusion_model: ConfusionModel,
        random: np.random.Generator,
        confidence: Mapping[str, Sequence[float]] = CONFIDENCE,
    ) -> None:
        """Draw from these models with these random numbers."""
        self._background_model = background_model
        self._confusion_model = confusion_model
        self._random = random
        self._confidence = confidence

    def plates(self, count: int) -> PlateCodes:
        """Draw plates of any vehicles."""
        rows = 1 + self._random.choice(
            len(self._background_model.countries), size=count, p=self._background_model.shares[1:]
        )
        codes = np.zeros((count, WIDTH), np.uint8)
        for row in np.unique(rows).tolist():
            of_country = np.flatnonzero(rows == row)
            codes[of_country] = self._plates_of(row, len(of_country))
        return _plate_codes(codes, self._background_model.countries[rows - 1])

    def misread(self, plates: PlateCodes) -> PlateCodes:
        """Return how each plate is read when it is misread."""
        codes = plates.codes.copy()
        edits = 1 + (self._random.random(len(codes)) > self._confusion_model.alone_share).astype(int)
        edits += (edits == 2) & (self._random.random(len(codes)) > _TWO_EDITS_SHARE)
        for row, count in enumerate(edits.tolist()):
            # Two edits may undo each other; then it is not a misread yet.
            while plates.lengths[row] and (codes[row] == plates.codes[row]).all():
                for _ in range(count):
                    self._edit(codes[row])
        return _plate_codes(codes, plates.countries, self._confidences("misread_share", len(codes)))

    def read(self, plates: PlateCodes) -> PlateCodes:
        """Return how each plate is read: right as often as the model says, otherwise misread."""
        wrong = np.flatnonzero(self._random.random(len(plates)) > self._confusion_model.right_share)
        codes, confidences = plates.codes.copy(), self._confidences("right_share", len(plates))
        misread = self.misread(plates.take(wrong))
        codes[wrong], confidences[wrong] = misread.codes, misread.confidences
        return _plate_codes(codes, plates.countries, confidences)

    def _confidences(self, shares: str, count: int) -> NDArray[np.float32]:
        drawn = self._random.choice(self._confidence["confidence"], size=count, p=self._confidence[shares])
        return drawn.astype(np.float32)

    def _plates_of(self, row: int, count: int) -> NDArray[np.uint8]:
        layouts = self._background_model.layouts[row] / self._background_model.layouts[row].sum()
        drawn = self._random.choice(len(layouts), size=count, p=layouts)
        lengths = np.floor(np.log2(np.maximum(drawn, 1))).astype(int)
        positions = np.arange(WIDTH)
        is_letter = (drawn[:, None] >> positions) & 1 == 1
        codes = np.zeros((count, WIDTH), np.uint8)
        for kind, is_kind in ((LETTERS, is_letter), (DIGITS, ~is_letter)):
            is_drawn = is_kind & (positions < lengths[:, None])
            shares = self._background_model.characters[row, kind]
            characters = np.arange(kind.start, kind.start + len(shares))
            codes[is_drawn] = self._random.choice(characters, size=int(is_drawn.sum()), p=shares / shares.sum())
        return codes

    def _edit(self, codes: NDArray[np.uint8]) -> None:
        """Make one edit in a text, drawn by how likely each edit is."""
        length = int(np.count_nonzero(codes))
        if length == 0:
            return
        model = self._confusion_model
        rates = model.substitution[codes[:length], :UNREADABLE]
        kinds = np.array([rates.sum(), model.deletion[codes[:length]].sum(), length * self._insertions()])
        match self._random.choice(3, p=kinds / kinds.sum()):
            case 0:
                position, became = divmod(
                    self._random.choice(rates.size, p=rates.ravel() / rates.sum()), rates.shape[1]
                )
                codes[position] = became
            case 1:
                lost = model.deletion[codes[:length]]
                position = self._random.choice(length, p=lost / lost.sum())
                codes[position:] = [*codes[position + 1 :], 0]
            case _ if length < WIDTH:
                position = self._random.integers(length + 1)
                codes[position:] = [self._random.integers(1, rates.shape[1]), *codes[position:-1]]

    def _insertions(self) -> float:
        return self._confusion_model.insertion * (UNREADABLE - 1)


def _plate_codes(
    codes: NDArray[np.uint8], countries: NDArray[np.uint16], confidences: NDArray[np.float32] | None = None
) -> PlateCodes:
    lengths = np.count_nonzero(codes, axis=1).astype(np.uint8)
    if confidences is None:
        confidences = no_confidences(len(codes))
    return PlateCodes(np.ascontiguousarray(codes), lengths, countries, confidences)
