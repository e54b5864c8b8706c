"""How probable it is that the vehicle in front of the camera is the listed one, given what was read.

Two explanations of a read compete. Either the listed vehicle went by and was read as this text; or another vehicle
did, which bears this text on its plate (`densities`) or was misread as it. The score is the share of the first in
both, under stated rates: one vehicle in a thousand is listed, and each entry of a list as likely as any other. So
the longer the list, the lower the score of one and the same likeness: among a million plates something always looks
alike.

What speaks against a match is part of it: a read that is a good plate of its country, another country's plate, a
fleet whose next vehicle has the next number. An entry is never dropped for its score in the tiers `exact` and
`equivalent`; in `folded` and `near` it must reach the least score.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import TIERS
from anpr.matching.encoding.plate_codes import FIRST_LETTER, TO_FOLDED, PlateCodes, Rows, translated
from anpr.matching.scoring.background_model import BACKGROUND_MODEL, BackgroundModel, Shares
from anpr.matching.scoring.confusion_model import CONFUSION_MODEL, UNITS, ConfusionModel
from anpr.reference_data import tables

# The stated rates. A list shorter than this is taken to be as long: a handful of entries does not make each of them
# pass every day.
LISTED_SHARE: Final = 1e-3
SMALLEST_LIST: Final = 1_000
# A camera that names the country is wrong about it this often.
WRONG_COUNTRY_SHARE: Final = 0.02
# How often, for each listed vehicle, one with a given number of the twenty beside its own goes by: fleets are
# registered in a row.
SIBLING_SHARE: Final = 0.02
SIBLING_NUMBERS: Final = 20
# Scores are told to four digits: more would feign a precision that the rates do not have.
DIGITS: Final = 4
# A folded match rings; a near one goes to a review queue, where more doubt is worth a look.
LEAST_SCORES: Final[Mapping[str, float]] = {"folded": 0.1, "near": 0.005}
# What a candidate counts of which the camera does not say how likely it is. It preferred another text, so a half at
# most; of what is anywhere between none and half, a quarter is the mean. And none that it names is impossible: many a
# camera says 0 of all that it is not sure of.
UNTOLD_CANDIDATE_SHARE: Final = 0.25
LEAST_CANDIDATE_SHARE: Final = 0.01
# What no table knows of (an engine's own ways, how sure it is without reason) speaks against a pair that is not even
# folded alike: its odds are so many times what the tables say. Two engines ask for 0.60 and 0.56 (docs/quality.md).
NEAR_ODDS: Final = 0.5

# The bound of `worth_searching` may err on the side of searching by this much, and never on the other.
_SLACK = 0.01
# As arrays: for one read, making an array of a number takes longer than the step that needs it.
_UNITS, _NO_LENGTH = np.array(float(UNITS)), np.array(0, np.uint8)


class Likelihood:
    """Scores of pairs of reads and entries, for a list of one size."""

    def __init__(
        self,
        list_size: int,
        misreads: ConfusionModel = CONFUSION_MODEL,
        densities: BackgroundModel = BACKGROUND_MODEL,
        confidence: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        """Take the tables that are in force, or others to measure with."""
        table = CONFIDENCE if confidence is None else confidence
        self._log_prior = math.log(LISTED_SHARE / max(list_size, SMALLEST_LIST))
        self._misreads = misreads
        self._densities = densities
        self._rates = densities.rates_into(misreads)
        self._units_right = np.rint(np.log(densities.shares * misreads.right_share) * UNITS).astype(np.int32)
        self._confidences = np.asarray(table["confidence"])
        self._log_ratios = np.asarray(table["log_ratio"])
        log_least_near = _log_odds(LEAST_SCORES["near"]) - math.log(NEAR_ODDS)
        # By tier: below this a pair is no match.
        self.least_scores: Final = np.array([self.least_score(tier) for tier in TIERS], np.float32)
        self._least_units = np.array((log_least_near - self._log_prior - _SLACK) * UNITS, np.int32)

    @staticmethod
    def least_score(tier: str) -> float:
        """Return the score below which a pair of this tier is no match."""
        # As precise as a score is, so that one that just reaches it is not below it.
        return float(np.float32(LEAST_SCORES.get(tier, 0.0)))

    def worth_searching(self, reads: PlateCodes) -> NDArray[np.bool_]:
        """Tell of the ways to find a near match of each read whether one could reach the least score.

        (n, 1 + length of the longest): column 0 is the read as it is, column 1 + p that without its character p.
        Most reads are right, and a good plate of their country: then every other explanation of them falls behind.
        And most characters are hardly ever what another fold is read as.
        """
        rows = self._densities.rows(reads.countries)
        ratios = self._ratio(reads.confidences)
        if reads.char_confidences is not None:
            told = ~np.isnan(reads.char_confidences).all(axis=1)
            ratios = np.where(told, self._log_ratios.max(), ratios)
        ratios *= _UNITS
        least = self._units_read_right(reads, rows)
        least -= ratios.astype(np.int32)
        least += self._least_units
        least[reads.lengths == _NO_LENGTH] = 0  # nothing is likelier than certain
        searched: NDArray[np.bool_] = self._misreads.most_near(reads.codes[:, : reads.longest]) > least[:, None]
        return searched

    def score(
        self,
        reads: PlateCodes,
        read_rows: NDArray[np.intp],
        entries: PlateCodes,
        entry_rows: NDArray[np.intp],
        at_least: NDArray[np.float32] | float = 0.0,
    ) -> NDArray[np.float32]:
        """Return the probability, for each of m pairs of rows, that this read is of this listed vehicle.

        What a candidate scores is lessened to the share that the camera gives it: the plate says it only so often.
        Where it is below `at_least` (of each, or of all), 0 may stand for it.
        """
        read, entry = reads.take(read_rows), entries.take(entry_rows)
        if not np.any(at_least):
            return self._scores(read, entry)
        scores = np.zeros(len(read_rows), np.float32)
        worked_out = self._could_reach(read, entry, np.asarray(at_least, np.float64)).nonzero()[0]
        if len(worked_out):
            scores[worked_out] = self._scores(read.take(worked_out), entry.take(worked_out))
        return scores

    def score_with_prefix(  # noqa: PLR0913, PLR0917  as `score`, and the plates
        self,
        reads: PlateCodes,
        plates: PlateCodes,
        read_rows: Rows,
        entries: PlateCodes,
        entry_rows: Rows,
        at_least: float = 0.0,
    ) -> NDArray[np.float32]:
        """Return the probability, for each of m pairs, that a read is of a listed vehicle with its badge before it.

        `plates` are the reads (`read_rows`) without their badges; the text as it stands may be another's plate. Where
        the probability is below `at_least`, 0 may stand for it.
        """
        read, plate, entry = reads.take(read_rows), plates, entries.take(entry_rows)
        scores = np.zeros(len(read_rows), np.float32)
        worked_out = np.arange(len(scores))
        if at_least:
            misread = self._misreads.log_probability(plate.codes, plate.lengths, entry.codes, entry.lengths)
            most = self._log_prior + math.log(self._misreads.prefix_share) + misread / UNITS
            most += np.where((plate.codes == entry.codes).all(axis=1), 0.0, self._log_ratios.max())
            against = self._log_read_right(read, self._densities.rows(read.countries))
            worked_out = (most + _SLACK > _log_odds(at_least) + against).nonzero()[0]
            read, plate, entry = read.take(worked_out), plate.take(worked_out), entry.take(worked_out)
        if len(worked_out):
            listed, unlisted = (self._misreads.prefix_share * share for share in self._explanations(plate, entry))
            scores[worked_out] = self._told(read, listed, unlisted + self._explanations(read, entry)[1])
        return scores

    def _could_reach(self, read: PlateCodes, entry: PlateCodes, least: Shares) -> NDArray[np.bool_]:
        """Tell which pairs of different texts could reach a score, without what takes long to work out."""
        most = self._log_prior + self._log_ratios.max()
        most = most + self._misreads.log_probability(read.codes, read.lengths, entry.codes, entry.lengths) / UNITS
        against = self._log_read_right(read, self._densities.rows(read.countries))
        exact = (read.codes == entry.codes).all(axis=1)
        with np.errstate(divide="ignore"):
            log_least_odds = np.log(least / (1 - least))
        reachable: NDArray[np.bool_] = exact | (most + _SLACK > log_least_odds + against)
        return reachable

    def _log_read_right(self, reads: PlateCodes, rows: Rows) -> Shares:
        """Return the logarithm of the share of all vehicles that bear this very text and are read right."""
        return self._units_read_right(reads, rows) / UNITS

    def _units_read_right(self, reads: PlateCodes, rows: Rows) -> NDArray[np.int32]:
        units = self._densities.log_plates(reads, rows)
        units += self._units_right[rows]
        return units

    def _scores(self, read: PlateCodes, entry: PlateCodes) -> NDArray[np.float32]:
        return self._told(read, *self._explanations(read, entry))

    def _told(self, read: PlateCodes, listed: Shares, unlisted: Shares) -> NDArray[np.float32]:
        odds = listed / unlisted
        shares = odds / (1 + odds)
        if read.are_candidates is not None:
            shares *= np.where(read.are_candidates, candidate_shares(read.confidences), 1.0)
        # Only here is a score made, and only as told is it held against the least: what is shown decides.
        return np.round(shares, DIGITS).astype(np.float32)

    def _explanations(self, read: PlateCodes, entry: PlateCodes) -> tuple[Shares, Shares]:
        """Return how probable each read is if the listed vehicle is there, and if another is; both by one measure."""
        rows, entry_country = self._densities.rows(read.countries), self._densities.rows(entry.countries)
        exact = (read.codes == entry.codes).all(axis=1) & (read.lengths == entry.lengths)
        other_country = (read.countries != entry.countries) & (read.countries != 0) & (entry.countries != 0)
        ratio = self._ratio(read.confidences)
        listed = self._log_prior + np.where(other_country, math.log(WRONG_COUNTRY_SHARE), 0.0)
        listed += self._misreads.log_probability(read.codes, read.lengths, entry.codes, entry.lengths) / UNITS
        listed += np.where(exact, 0.0, self._ratio_at_differences(read, entry, ratio))
        alike = (translated(read.codes, TO_FOLDED) == translated(entry.codes, TO_FOLDED)).all(axis=1)
        listed += np.where(alike, 0.0, math.log(NEAR_ODDS))
        of_country = np.where((entry.countries != 0) & ~other_country, self._densities.shares[rows], 1.0)
        unlisted = of_country * (
            self._read_right(read, rows, entry_country, exact & ~other_country)
            + self._densities.misread(read, rows, self._rates) * np.exp(ratio)
        )
        siblings = _siblings(read, entry) * SIBLING_SHARE * math.exp(self._log_prior)
        return np.exp(listed), unlisted + siblings

    def _read_right(self, read: PlateCodes, rows: Rows, entry_country: Rows, same: NDArray[np.bool_]) -> Shares:
        """Return the share of unlisted vehicles that bear this text and are read right.

        Where it is the listed text itself, those of the listed country are left out: they are the listed vehicle.
        """
        shares = np.exp(self._densities.log_plates(read, rows) / UNITS)
        elsewhere = np.zeros_like(shares)
        mixed = np.flatnonzero(same & (rows == 0) & (entry_country != 0))
        if len(mixed):
            country = entry_country[mixed]
            of_listed = np.exp(self._densities.log_plates(read.take(mixed), country) / UNITS)
            elsewhere[mixed] = np.maximum(shares[mixed] - of_listed * self._densities.shares[country], 0)
        right: Shares = self._misreads.right_share * np.where(same, elsewhere, shares)
        return right

    def _ratio(self, confidences: NDArray[np.float32]) -> Shares:
        """Return the logarithm of how much likelier a misread is than a right read to come with this confidence."""
        ratios: Shares = np.interp(confidences, self._confidences, self._log_ratios)
        ratios[np.isnan(ratios)] = 0.0
        return ratios

    def _ratio_at_differences(self, read: PlateCodes, entry: PlateCodes, of_read: Shares) -> Shares:
        """Return the ratio by the confidence of the characters that differ, where the camera tells it of each."""
        if read.char_confidences is None:
            return of_read
        differing = np.where(read.codes != entry.codes, read.char_confidences, np.inf)
        lowest = np.fmin.reduce(differing, axis=1)
        same_length = (read.lengths == entry.lengths) & np.isfinite(lowest)
        return np.where(same_length, self._ratio(lowest.astype(np.float32)), of_read)


def candidate_shares(confidences: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how often the plate says what a candidate does, by how sure the camera is of it, NaN for not told."""
    shares = np.where(np.isnan(confidences), np.float32(UNTOLD_CANDIDATE_SHARE), confidences)
    return np.maximum(shares, np.float32(LEAST_CANDIDATE_SHARE))


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def _siblings(read: PlateCodes, entry: PlateCodes) -> NDArray[np.bool_]:
    """Tell which reads bear one of the next numbers before or behind the listed one, in its last group of digits."""
    digits = (entry.codes > 0) & (entry.codes < FIRST_LETTER)
    last = entry.codes.shape[1] - 1 - np.argmax(digits[:, ::-1], axis=1)
    places = np.arange(entry.codes.shape[1])
    # Behind the last letter before it: the group that the numbers run in.
    letter_before = np.where(~digits & (places < last[:, None]), places, -1).max(axis=1)
    in_group = (places > letter_before[:, None]) & (places <= last[:, None])
    weight = np.where(in_group, 10.0 ** (last[:, None] - places), 0.0)
    steps = ((read.codes.astype(np.int64) - entry.codes) * weight).sum(axis=1)
    read_digits = (read.codes > 0) & (read.codes < FIRST_LETTER)
    alike = ((read.codes == entry.codes) | (in_group & read_digits)).all(axis=1)
    siblings: NDArray[np.bool_] = alike & digits.any(axis=1) & (steps != 0) & (np.abs(steps) <= SIBLING_NUMBERS)
    return siblings


CONFIDENCE: Final[Mapping[str, Sequence[float]]] = tables.load("confidence")
