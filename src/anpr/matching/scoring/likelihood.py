"""The score: how probable it is that the vehicle in front of the camera is the listed one, given what was read.

Two explanations of a read compete. The listed vehicle went by and was read as this text; or another vehicle went by,
which has this text on its plate or was misread as it (`background_model`). The score is the share of the first
explanation in both, under stated rates: one vehicle in a thousand is listed, and each entry is as likely as any
other. So the longer the list, the lower the score of the same pair: among a million plates some plate always looks
alike.

Facts against a match lower the score: a read that is a good plate of its country, another country's plate, a fleet
whose next vehicle has the next number. In the tiers `exact` and `equivalent` no score is too low for a match. In
`folded` and `near` a pair must reach the least score.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import TIERS
from anpr.matching.encoding.plate_codes import FIRST_LETTER, TO_FOLDED, PlateCodes, Rows, translated
from anpr.matching.scoring.background_model import BACKGROUND_MODEL, BackgroundModel, ruined
from anpr.matching.scoring.confusion_model import CONFUSION_MODEL, UNITS, ConfusionModel
from anpr.matching.scoring.evidence import (
    Evidence,
    ListedTerms,
    PairTerms,
    Shares,
    candidate_evidence,
    rounded,
    surroundings_evidence,
    total_log_odds,
)
from anpr.reference_data import tables

# The stated rates. A shorter list counts as one of this length: if a list has few entries, each of them does not pass
# every day.
LISTED_SHARE: Final = 1e-3
SMALLEST_LIST: Final = 1_000
# A camera that names the country names the wrong one this often.
WRONG_COUNTRY_SHARE: Final = 0.02
# A camera that shows the gap behind the district shows it in the wrong position this often.
WRONG_GAP_SHARE: Final = 0.02
# Fleets are registered in a row. For each listed vehicle, a vehicle with a given number of the twenty on either side
# goes by this often.
FLEET_SHARE: Final = 0.02
FLEET_NUMBERS: Final = 20
# Decimal digits of a score. More would claim a precision that the rates do not have.
DIGITS: Final = 4
# A folded match raises the alarm. A near match goes to a review queue, where more doubt is worth a look.
LEAST_SCORES: Final[Mapping[str, float]] = {"folded": 0.1, "near": 0.005}
# A candidate without a confidence counts as a quarter: the camera preferred another text, so it is at most a half,
# and a quarter is the mean of zero and a half. No candidate is impossible: many cameras give 0 for every text that
# they are not sure of.
DEFAULT_CANDIDATE_SHARE: Final = 0.25
LEAST_CANDIDATE_SHARE: Final = 0.01
# Facts that no table knows (an engine's own habits, a confidence without reason) speak against a pair that is not
# even folded alike. Its odds are those of the tables times this factor. Two engines ask for 0.60 and 0.56
# (docs/quality.md).
NEAR_ODDS: Final = 0.5

# The bound of `deletions_to_search` may be too high by this much, and never too low.
_SLACK = 0.01
# As arrays: for one read, making an array of a number takes longer than the step that needs it.
_UNITS, _NO_LENGTH = np.array(float(UNITS)), np.array(0, np.uint8)


class Likelihood:
    """Scores of pairs of reads and entries, for a list of one size."""

    def __init__(
        self,
        list_size: int,
        confusions: ConfusionModel = CONFUSION_MODEL,
        background: BackgroundModel = BACKGROUND_MODEL,
        confidence: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        """Use the tables that ship with the program, or others to measure with."""
        table = CONFIDENCE if confidence is None else confidence
        self._log_prior = math.log(LISTED_SHARE / max(list_size, SMALLEST_LIST))
        self._confusions = confusions
        self._background = background
        self._rates = background.rates_into(confusions)
        self._units_right = np.rint(np.log(background.shares * confusions.right_share) * UNITS).astype(np.int32)
        self._confidences = np.asarray(table["confidence"])
        self._log_ratios = np.asarray(table["log_ratio"])
        log_least_near = _log_odds(LEAST_SCORES["near"]) - math.log(NEAR_ODDS)
        # By tier: below this score a pair is no match.
        self.least_scores: Final = np.array([self.least_score(tier) for tier in TIERS], np.float32)
        self._least_units = np.array((log_least_near - self._log_prior - _SLACK) * UNITS, np.int32)

    @staticmethod
    def least_score(tier: str) -> float:
        """Return the score below which a pair of this tier is no match."""
        # As precise as a score, so that a score that just reaches it is not below it.
        return float(np.float32(LEAST_SCORES.get(tier, 0.0)))

    def deletions_to_search(self, reads: PlateCodes) -> NDArray[np.bool_]:
        """Return for each read the deletions by which a near match that reaches the least score could be found.

        (n, 1 + length of the longest): column 0 is the read as it is, column 1 + p the read without its character p.
        Most reads are right and a good plate of their country, and no other explanation of them is probable enough.
        And most characters are hardly ever read where one of another fold stands.
        """
        country_rows = self._background.rows(reads.countries)
        ratios = self._log_confidence_ratios(reads.confidences)
        if reads.char_confidences is not None:
            has_any = ~np.isnan(reads.char_confidences).all(axis=1)
            ratios = np.where(has_any, self._log_ratios.max(), ratios)
        ratios *= _UNITS
        least = self._units_read_right(reads, country_rows)
        least -= ratios.astype(np.int32)
        least += self._least_units
        least[reads.lengths == _NO_LENGTH] = 0  # nothing is more probable than certain
        is_searched: NDArray[np.bool_] = (
            self._confusions.near_bounds(reads.codes[:, : reads.longest]) > least[:, None]
        )
        return is_searched

    def score(
        self,
        reads: PlateCodes,
        read_rows: Rows,
        entries: PlateCodes,
        entry_rows: Rows,
        at_least: NDArray[np.float32] | float = 0.0,
    ) -> NDArray[np.float32]:
        """Return the probability, for each of m pairs of rows, that this read is of this listed vehicle.

        The score of a candidate is lowered to the share that the camera gives it: the plate has that text only so
        often. Where a score is below `at_least` (one for each pair, or one for all), 0 may stand for it.
        """
        read, entry = reads.take(read_rows), entries.take(entry_rows)
        if not np.any(at_least):
            return self._scores(read, entry)
        scores = np.zeros(len(read_rows), np.float32)
        reachable = self._could_reach(read, entry, np.asarray(at_least, np.float64)).nonzero()[0]
        if len(reachable):
            scores[reachable] = self._scores(read.take(reachable), entry.take(reachable))
        return scores

    def score_of_other_district(
        self, reads: PlateCodes, read_rows: Rows, entries: PlateCodes, entry_rows: Rows
    ) -> NDArray[np.float32]:
        """Return the probability, for each of m pairs, that a read with the gap of another district is of the entry.

        Vehicles of the listed country may have this text too: they are not the listed vehicle.
        """
        read, entry = reads.take(read_rows), entries.take(entry_rows)
        terms = self._terms(read, entry, is_other_district=True)
        return _scores_of(read, terms.listed(), terms.unlisted())

    @property
    def prefix_share(self) -> float:
        """How often a plate is read with its country prefix."""
        return self._confusions.prefix_share

    def score_inside(  # noqa: PLR0913, PLR0917  as `score`, and the plates
        self,
        reads: PlateCodes,
        plates: PlateCodes,
        shares: Shares,
        read_rows: Rows,
        entries: PlateCodes,
        entry_rows: Rows,
        at_least: float = 0.0,
    ) -> NDArray[np.float32]:
        """Return the probability, for each of m pairs, that a read holds a listed plate and something around it.

        `plates` are those inside the reads (`read_rows`), `shares` how often a plate is read with such text around
        it. The text as it stands may also be the plate of another vehicle. Where the probability is below `at_least`,
        0 may stand for it.
        """
        read, plate, entry = reads.take(read_rows), plates, entries.take(entry_rows)
        scores = np.zeros(len(read_rows), np.float32)
        reachable = np.arange(len(scores))
        if at_least:
            most = np.log(shares) + self._listed_terms(plate, entry).log_sum(self._log_prior)
            rows = self._background.rows(read.countries)
            doubt = np.exp(self._log_confidence_ratios(read.confidences))
            against = np.exp(self._log_read_right(read, rows))
            against += self._background.shares[rows] * doubt * ruined(read.lengths)
            reachable = (most + _SLACK > _log_odds(at_least) + np.log(against)).nonzero()[0]
            read, plate, entry = read.take(reachable), plate.take(reachable), entry.take(reachable)
        if len(reachable):
            inside = self._terms(plate, entry)
            listed = shares[reachable] * inside.listed()
            unlisted = shares[reachable] * inside.unlisted()
            scores[reachable] = _scores_of(read, listed, unlisted + self._terms(read, entry).unlisted())
        return scores

    def evidence(
        self,
        read: PlateCodes,
        entry: PlateCodes,
        inside: tuple[str, PlateCodes, float] | None = None,
        *,
        is_other_district: bool = False,
    ) -> tuple[Evidence, ...]:
        """Return the named parts of the log-odds of a score; parts that are 0 are left out.

        Each argument has one row. `inside` is for a score with text around the plate: the name of this evidence, the
        plate inside the read, and how often a plate is read so.
        """
        terms = self._terms(read, entry, is_other_district=is_other_district)
        if inside is None:
            evidence = terms.evidence()
        else:
            name, plate, share = inside
            of_plate = self._terms(plate, entry)
            evidence = [*of_plate.evidence(), surroundings_evidence(name, share, of_plate, terms)]
        if read.are_candidates is not None and read.are_candidates[0]:
            share = candidate_shares(read.confidences).item()
            evidence.append(candidate_evidence(share, total_log_odds(evidence)))
        return rounded(evidence)

    def _could_reach(self, read: PlateCodes, entry: PlateCodes, least: Shares) -> NDArray[np.bool_]:
        """Return which pairs could reach a score, at less cost than the score itself."""
        most = self._log_prior + self._log_ratios.max()
        most = most + self._confusions.log_probability(read.codes, read.lengths, entry.codes, entry.lengths) / UNITS
        against = self._log_read_right(read, self._background.rows(read.countries))
        is_exact = (read.codes == entry.codes).all(axis=1)
        with np.errstate(divide="ignore"):
            log_least_odds = np.log(least / (1 - least))
        reachable: NDArray[np.bool_] = is_exact | (most + _SLACK > log_least_odds + against)
        return reachable

    def _log_read_right(self, reads: PlateCodes, country_rows: Rows) -> Shares:
        """Return the logarithm of the share of all vehicles that have exactly this text and are read right."""
        return self._units_read_right(reads, country_rows) / UNITS

    def _units_read_right(self, reads: PlateCodes, country_rows: Rows) -> NDArray[np.int32]:
        units = self._background.log_plates(reads, country_rows)
        units += self._units_right[country_rows]
        return units

    def _scores(self, read: PlateCodes, entry: PlateCodes) -> NDArray[np.float32]:
        terms = self._terms(read, entry)
        return _scores_of(read, terms.listed(), terms.unlisted())

    def _terms(self, read: PlateCodes, entry: PlateCodes, *, is_other_district: bool = False) -> PairTerms:
        """Return the terms of the scores of these pairs, which all show another district than the list, or none."""
        rows, entry_rows = self._background.rows(read.countries), self._background.rows(entry.countries)
        listed = self._listed_terms(read, entry)
        is_in_country = (entry.countries != 0) & (listed.other_country == 0)
        is_listed_vehicle = _is_exact(read, entry) & (listed.other_country == 0) & (not is_other_district)
        return PairTerms(
            prior=self._log_prior,
            other_district=math.log(WRONG_GAP_SHARE) if is_other_district else 0.0,
            **listed._asdict(),
            country_share=np.where(is_in_country, self._background.shares[rows], 1.0),
            read_right=self._read_right(read, rows, entry_rows, is_listed_vehicle),
            misread_as_text=self._background.misread(read, rows, self._rates),
            doubt=np.exp(self._log_confidence_ratios(read.confidences)),
            fleet=np.where(_is_fleet_neighbour(read, entry), FLEET_SHARE * math.exp(self._log_prior), 0.0),
        )

    def _listed_terms(self, read: PlateCodes, entry: PlateCodes) -> ListedTerms:
        """Return how probable each read is if the listed vehicle went by, but for the prior."""
        is_other_country = (read.countries != entry.countries) & (read.countries != 0) & (entry.countries != 0)
        is_same_fold = (translated(read.codes, TO_FOLDED) == translated(entry.codes, TO_FOLDED)).all(axis=1)
        log_ratios = self._log_confidence_ratios(read.confidences)
        misread = self._confusions.log_probability(read.codes, read.lengths, entry.codes, entry.lengths)
        at_differences = self._log_ratios_at_differences(read, entry, log_ratios)
        return ListedTerms(
            other_country=np.where(is_other_country, math.log(WRONG_COUNTRY_SHARE), 0.0),
            misread=misread / UNITS,
            confidence=np.where(_is_exact(read, entry), 0.0, at_differences),
            near=np.where(is_same_fold, 0.0, math.log(NEAR_ODDS)),
        )

    def _read_right(self, read: PlateCodes, rows: Rows, entry_rows: Rows, is_same: NDArray[np.bool_]) -> Shares:
        """Return the share of unlisted vehicles that have this text and are read right.

        Where it is the listed text itself, vehicles of the listed country do not count: they are the listed vehicle.
        """
        shares = np.exp(self._background.log_plates(read, rows) / UNITS)
        elsewhere = np.zeros_like(shares)
        mixed = np.flatnonzero(is_same & (rows == 0) & (entry_rows != 0))
        if len(mixed):
            listed_rows = entry_rows[mixed]
            in_listed_country = np.exp(self._background.log_plates(read.take(mixed), listed_rows) / UNITS)
            elsewhere[mixed] = np.maximum(shares[mixed] - in_listed_country * self._background.shares[listed_rows], 0)
        right: Shares = self._confusions.right_share * np.where(is_same, elsewhere, shares)
        return right

    def _log_confidence_ratios(self, confidences: NDArray[np.float32]) -> Shares:
        """Return the logarithm of how much likelier this confidence is with a misread than with a right read."""
        ratios: Shares = np.interp(confidences, self._confidences, self._log_ratios)
        ratios[np.isnan(ratios)] = 0.0
        return ratios

    def _log_ratios_at_differences(self, read: PlateCodes, entry: PlateCodes, of_reads: Shares) -> Shares:
        """Return the ratio by the confidence of the characters that differ; of the whole read where there is none."""
        if read.char_confidences is None:
            return of_reads
        differing = np.where(read.codes != entry.codes, read.char_confidences, np.inf)
        lowest = np.fmin.reduce(differing, axis=1)
        is_same_length = (read.lengths == entry.lengths) & np.isfinite(lowest)
        return np.where(is_same_length, self._log_confidence_ratios(lowest.astype(np.float32)), of_reads)


def candidate_shares(confidences: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how often the plate has a candidate's text, by the candidate's confidence (NaN where there is none)."""
    shares = np.where(np.isnan(confidences), np.float32(DEFAULT_CANDIDATE_SHARE), confidences)
    return np.maximum(shares, np.float32(LEAST_CANDIDATE_SHARE))


def _scores_of(read: PlateCodes, listed: Shares, unlisted: Shares) -> NDArray[np.float32]:
    odds = listed / unlisted
    shares = odds / (1 + odds)
    if read.are_candidates is not None:
        shares *= np.where(read.are_candidates, candidate_shares(read.confidences), 1.0)
    # Scores are rounded here, before they are compared with the least score: the score shown decides.
    return np.round(shares, DIGITS).astype(np.float32)


def _is_exact(read: PlateCodes, entry: PlateCodes) -> NDArray[np.bool_]:
    is_exact: NDArray[np.bool_] = (read.codes == entry.codes).all(axis=1)
    return is_exact


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def _is_fleet_neighbour(read: PlateCodes, entry: PlateCodes) -> NDArray[np.bool_]:
    """Return which reads have one of the numbers beside the listed one, in its last group of digits."""
    is_digit = (entry.codes > 0) & (entry.codes < FIRST_LETTER)
    last = entry.codes.shape[1] - 1 - np.argmax(is_digit[:, ::-1], axis=1)
    positions = np.arange(entry.codes.shape[1])
    # Behind the last letter before it: the group of digits that holds the running number.
    letter_before = np.where(~is_digit & (positions < last[:, None]), positions, -1).max(axis=1)
    in_group = (positions > letter_before[:, None]) & (positions <= last[:, None])
    weights = np.where(in_group, 10.0 ** (last[:, None] - positions), 0.0)
    steps = ((read.codes.astype(np.int64) - entry.codes) * weights).sum(axis=1)
    is_read_digit = (read.codes > 0) & (read.codes < FIRST_LETTER)
    is_same_elsewhere = ((read.codes == entry.codes) | (in_group & is_read_digit)).all(axis=1)
    neighbours: NDArray[np.bool_] = (
        is_same_elsewhere & is_digit.any(axis=1) & (steps != 0) & (np.abs(steps) <= FLEET_NUMBERS)
    )
    return neighbours


CONFIDENCE: Final[Mapping[str, Sequence[float]]] = tables.load("confidence")
