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
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import TIERS
from anpr.matching.encoding.columns import Plates, Texts, for_kernels, plates_for_kernels, texts_for_kernels
from anpr.matching.encoding.plate_codes import CODE_COUNT, FIRST_LETTER, TO_FOLDED, WIDTH, Codes, PlateCodes, Rows
from anpr.matching.kernels import as_int, inlined, kernel, step
from anpr.matching.scoring.background_model import (
    BACKGROUND_MODEL,
    BackgroundModel,
    BackgroundTables,
    RateTables,
    log_plate,
    misread_share,
    ruined_share,
)
from anpr.matching.scoring.confusion_model import (
    CONFUSION_MODEL,
    UNITS,
    ConfusionModel,
    ConfusionTables,
    log_misread,
)
from anpr.matching.scoring.evidence import (
    Evidence,
    PairTerms,
    Shares,
    candidate_evidence,
    evidence_of,
    log_listed,
    rounded,
    surroundings_evidence,
    total_log_odds,
    unlisted,
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

# The bound of `units_to_search` may be too low by this much, and never too high.
_SLACK = 0.01
_LOG_WRONG_COUNTRY = math.log(WRONG_COUNTRY_SHARE)
_LOG_WRONG_GAP = math.log(WRONG_GAP_SHARE)
_LOG_NEAR_ODDS = math.log(NEAR_ODDS)
_TEN_TO_DIGITS = 10.0**DIGITS
_DEFAULT_CANDIDATE_SHARE = np.float32(DEFAULT_CANDIDATE_SHARE)
_LEAST_CANDIDATE_SHARE = np.float32(LEAST_CANDIDATE_SHARE)


class Text(NamedTuple):
    """A text of a read in a kernel: see `PlateCodes`."""

    codes: Codes
    length: int
    country: int
    confidence: float
    char_confidences: NDArray[np.float32]
    is_candidate: bool
    calibrated: float


class Plate(NamedTuple):
    """A listed plate in a kernel."""

    codes: Codes
    length: int
    country: int


class ModelTables(NamedTuple):
    """All that the score of a pair depends on, for a list of one size.

    `folds` has the fold of each code. `units_right` has for each country the logarithm, in UNITS, of its share of the
    traffic and of right reads. `least_scores` are those below which a pair of a tier is no match.
    """

    confusions: ConfusionTables
    background: BackgroundTables
    rates: RateTables
    folds: Codes
    units_right: NDArray[np.int64]
    log_prior: float
    log_ratio_confidences: Shares
    log_ratios: Shares
    highest_log_ratio: float
    prefix_share: float
    least_scores: NDArray[np.float32]
    least_near_units: int


class Likelihood:
    """Scores of pairs of reads and entries, for a list of one size."""

    def __init__(
        self,
        list_size: int,
        confusions: ConfusionModel = CONFUSION_MODEL,
        background: BackgroundModel = BACKGROUND_MODEL,
    ) -> None:
        """Use the tables that ship with the program, or others to measure with."""
        log_prior = math.log(LISTED_SHARE / max(list_size, SMALLEST_LIST))
        log_least_near = _log_odds(LEAST_SCORES["near"]) - math.log(NEAR_ODDS)
        self.tables: ModelTables = for_kernels(
            ModelTables(
                confusions=confusions.tables,
                background=background.tables,
                rates=background.rates_into(confusions),
                folds=np.frombuffer(TO_FOLDED, np.uint8)[:CODE_COUNT],
                units_right=np.rint(np.log(background.shares * confusions.right_share) * UNITS).astype(np.int64),
                log_prior=log_prior,
                log_ratio_confidences=np.asarray(CONFIDENCE["confidence"], np.float64),
                log_ratios=np.asarray(CONFIDENCE["log_ratio"], np.float64),
                highest_log_ratio=float(max(CONFIDENCE["log_ratio"])),
                prefix_share=confusions.prefix_share,
                least_scores=np.array([self.least_score(tier) for tier in TIERS], np.float32),
                least_near_units=int((log_least_near - log_prior - _SLACK) * UNITS),
            )
        )

    @staticmethod
    def least_score(tier: str) -> float:
        """Return the score below which a pair of this tier is no match."""
        # As precise as a score, so that a score that just reaches it is not below it.
        return float(np.float32(LEAST_SCORES.get(tier, 0.0)))

    @property
    def prefix_share(self) -> float:
        """How often a plate is read with its country prefix."""
        return self.tables.prefix_share

    def score(
        self, reads: PlateCodes, read_rows: Rows, entries: PlateCodes, entry_rows: Rows, at_least: float = 0.0
    ) -> NDArray[np.float32]:
        """Return the probability, for each of m pairs of rows, that this read is of this listed vehicle.

        The score of a candidate is lowered to the share that the camera gives it: the plate has that text only so
        often. Where a score is below `at_least`, 0 may stand for it.
        """
        texts, plates = texts_for_kernels(reads.take(read_rows)), plates_for_kernels(entries.take(entry_rows))
        return self._scores(texts, plates, at_least)

    def score_of_other_district(
        self, reads: PlateCodes, read_rows: Rows, entries: PlateCodes, entry_rows: Rows
    ) -> NDArray[np.float32]:
        """Return the probability, for each of m pairs, that a read with the gap of another district is of the entry.

        Vehicles of the listed country may have this text too: they are not the listed vehicle.
        """
        texts, plates = texts_for_kernels(reads.take(read_rows)), plates_for_kernels(entries.take(entry_rows))
        return self._scores(texts, plates, is_other_district=True)

    def score_inside(
        self,
        reads: PlateCodes,
        plates: PlateCodes,
        shares: Shares,
        read_rows: Rows,
        entries: PlateCodes,
        entry_rows: Rows,
    ) -> NDArray[np.float32]:
        """Return the probability, for each of m pairs, that a read holds a listed plate and something around it.

        `plates` are those inside the reads (`read_rows`), `shares` how often a plate is read with such text around
        it. The text as it stands may also be the plate of another vehicle.
        """
        texts, listed = texts_for_kernels(reads.take(read_rows)), plates_for_kernels(entries.take(entry_rows))
        scores = np.zeros(len(shares), np.float32)
        _score_pairs_inside(self.tables, texts, texts_for_kernels(plates), for_kernels(shares), listed, scores)
        return scores

    def _scores(
        self, texts: Texts, plates: Plates, at_least: float = 0.0, *, is_other_district: bool = False
    ) -> NDArray[np.float32]:
        scores = np.zeros(len(texts.lengths), np.float32)
        _score_pairs(self.tables, texts, plates, float(at_least), is_other_district, scores)
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
        terms = self.terms(read, entry, is_other_district=is_other_district)
        if inside is None:
            evidence = evidence_of(terms)
        else:
            name, plate, share = inside
            of_plate = self.terms(plate, entry)
            evidence = [*evidence_of(of_plate), surroundings_evidence(name, share, of_plate, terms)]
        if read.are_candidates is not None and read.are_candidates[0]:
            share = candidate_shares(read.confidences).item()
            evidence.append(candidate_evidence(share, total_log_odds(evidence)))
        return rounded(evidence)

    def terms(self, read: PlateCodes, entry: PlateCodes, *, is_other_district: bool = False) -> PairTerms:
        """Return the terms of the score of a pair. Each argument has one row."""
        return _terms_of_first(self.tables, texts_for_kernels(read), plates_for_kernels(entry), is_other_district)


@step
def text_at(texts: Texts, row: int) -> Text:
    """Return a text of a batch."""
    return Text(
        texts.codes[row],
        as_int(texts.lengths[row]),
        texts.countries[row],
        texts.confidences[row],
        texts.char_confidences[row],
        texts.are_candidates[row],
        texts.calibrated[row],
    )


@step
def plate_at(plates: Plates, row: int) -> Plate:
    """Return a listed plate."""
    return Plate(plates.codes[row], as_int(plates.lengths[row]), plates.countries[row])


@kernel
def _score_pairs(
    model: ModelTables,
    texts: Texts,
    plates: Plates,
    at_least: float,
    is_other_district: bool,
    scores: NDArray[np.float32],
) -> None:
    for pair in range(len(scores)):
        text, plate = text_at(texts, pair), plate_at(plates, pair)
        if could_reach(model, text, plate, at_least):
            scores[pair] = score_of(model, text, plate, is_other_district)


@kernel
def _score_pairs_inside(
    model: ModelTables,
    texts: Texts,
    inside: Texts,
    shares: Shares,
    plates: Plates,
    scores: NDArray[np.float32],
) -> None:
    for pair in range(len(scores)):
        text, plate = text_at(texts, pair), plate_at(plates, pair)
        scores[pair] = score_of_inside(model, text, text_at(inside, pair), shares[pair], plate)


@kernel
def _terms_of_first(model: ModelTables, texts: Texts, plates: Plates, is_other_district: bool) -> PairTerms:
    return terms_of(model, text_at(texts, 0), plate_at(plates, 0), is_other_district)


@step
def score_of(model: ModelTables, text: Text, plate: Plate, is_other_district: bool) -> np.float32:
    """Return the probability that the read with this text is of this listed vehicle."""
    terms = terms_of(model, text, plate, is_other_district)
    return _rounded_score(text, math.exp(log_listed(terms)), unlisted(terms))


@step
def score_of_inside(model: ModelTables, text: Text, inside: Text, share: float, plate: Plate) -> np.float32:
    """Return the probability that a read holds a listed plate and something around it."""
    of_plate, of_text = terms_of(model, inside, plate, False), terms_of(model, text, plate, False)
    listed = share * math.exp(log_listed(of_plate))
    return _rounded_score(text, listed, share * unlisted(of_plate) + unlisted(of_text))


@step
def _rounded_score(text: Text, listed: float, other: float) -> np.float32:
    odds = listed / other
    share = odds / (1 + odds)
    if text.is_candidate:
        share *= candidate_share(text.confidence)
    # Scores are rounded here, before they are compared with the least score: the score shown decides.
    return np.float32(np.rint(share * _TEN_TO_DIGITS) / _TEN_TO_DIGITS)


@step
def candidate_share(confidence: float) -> Any:
    """Return how often the plate has a candidate's text, by the candidate's confidence (NaN where there is none)."""
    if math.isnan(confidence):
        return _DEFAULT_CANDIDATE_SHARE
    return max(confidence, _LEAST_CANDIDATE_SHARE)


@inlined
def could_reach(model: ModelTables, text: Text, plate: Plate, least: float) -> bool:
    """Return whether a pair could reach a score, at less cost than the score itself."""
    if least <= 0 or is_same_text(text.codes, plate.codes):
        return True
    most = model.log_prior + model.highest_log_ratio
    most += log_misread(model.confusions, text.codes, text.length, plate.codes, plate.length) / UNITS
    against = _units_read_right(model, text) / UNITS
    return most + _SLACK > math.log(least / (1 - least)) + against


@step
def could_reach_inside(
    model: ModelTables, text: Text, inside: Text, share: float, plate: Plate, least: float
) -> bool:
    """Return whether a pair could reach a score with text around the plate, at less cost than the score itself."""
    most = math.log(share) + log_listed(terms_of(model, inside, plate, False))
    row = model.background.row_of_country[text.country]
    against = math.exp(_units_read_right(model, text) / UNITS)
    confidence_ratio = math.exp(log_confidence_ratio(model, text.calibrated))
    against += model.background.shares[row] * confidence_ratio * ruined_share(text.length)
    return most + _SLACK > math.log(least / (1 - least)) + math.log(against)


@step
def units_to_search(model: ModelTables, text: Text) -> int:
    """Return the logarithm of the misread, in UNITS, above which a near match could reach the least score.

    Most reads are right and a good plate of their country, and no other explanation of them is probable enough.
    """
    ratio = log_confidence_ratio(model, text.calibrated)
    for at in range(text.length):
        if not math.isnan(text.char_confidences[at]):
            ratio = model.highest_log_ratio
    return _units_read_right(model, text) - int(ratio * UNITS) + model.least_near_units


@step
def _units_read_right(model: ModelTables, text: Text) -> int:
    """Return the logarithm, in UNITS, of the share of all vehicles that have exactly this text and are read right."""
    row = model.background.row_of_country[text.country]
    return log_plate(model.background, text.codes, text.length, row) + model.units_right[row]


@step
def terms_of(model: ModelTables, text: Text, plate: Plate, is_other_district: bool) -> PairTerms:
    """Return the terms of the score of a pair, which shows another district than the list or does not."""
    background = model.background
    row, entry_row = background.row_of_country[text.country], background.row_of_country[plate.country]
    is_other_country = text.country != plate.country and text.country != 0 and plate.country != 0
    is_exact = is_same_text(text.codes, plate.codes)
    is_listed_vehicle = is_exact and not is_other_country and not is_other_district
    log_ratio = log_confidence_ratio(model, text.calibrated)
    read_right = math.exp(log_plate(background, text.codes, text.length, row) / UNITS)
    if is_listed_vehicle:
        # Where it is the listed text, vehicles of the listed country do not count: they are the listed vehicle.
        elsewhere = 0.0
        if row == 0 and entry_row != 0:
            in_country = math.exp(log_plate(background, text.codes, text.length, entry_row) / UNITS)
            elsewhere = max(read_right - in_country * background.shares[entry_row], 0.0)
        read_right = elsewhere
    misread = log_misread(model.confusions, text.codes, text.length, plate.codes, plate.length)
    return PairTerms(
        prior=model.log_prior,
        other_country=_LOG_WRONG_COUNTRY if is_other_country else 0.0,
        other_district=_LOG_WRONG_GAP if is_other_district else 0.0,
        misread=misread / UNITS,
        confidence=0.0 if is_exact else _log_ratio_at_differences(model, text, plate, log_ratio),
        near=0.0 if is_same_fold(model.folds, text.codes, plate.codes) else _LOG_NEAR_ODDS,
        country_share=background.shares[row] if plate.country != 0 and not is_other_country else 1.0,
        read_right=model.confusions.right_share * read_right,
        misread_as_text=misread_share(background, model.rates, text.codes, text.length, row),
        doubt=math.exp(log_ratio),
        fleet=FLEET_SHARE * math.exp(model.log_prior) if _is_fleet_neighbour(text, plate) else 0.0,
    )


@step
def is_same_text(left: Codes, right: Codes) -> bool:
    """Return whether two texts have the same codes."""
    for at in range(WIDTH):
        if left[at] != right[at]:
            return False
    return True


@step
def is_same_fold(folds: Codes, left: Codes, right: Codes) -> bool:
    """Return whether two texts have the same codes once each is replaced by its fold."""
    for at in range(WIDTH):
        if folds[left[at]] != folds[right[at]]:
            return False
    return True


@step
def log_confidence_ratio(model: ModelTables, confidence: float) -> float:
    """Return the logarithm of how much likelier this confidence is with a misread than with a right read."""
    known, ratios = model.log_ratio_confidences, model.log_ratios
    if math.isnan(confidence):
        return 0.0
    if confidence <= known[0]:
        return ratios[0]
    for at in range(1, len(known)):
        if confidence < known[at]:
            slope = (ratios[at] - ratios[at - 1]) / (known[at] - known[at - 1])
            return slope * (confidence - known[at - 1]) + ratios[at - 1]
    return ratios[-1]


@step
def _log_ratio_at_differences(model: ModelTables, text: Text, plate: Plate, of_read: float) -> float:
    """Return the ratio by the confidence of the characters that differ; of the whole read where there is none."""
    if text.length != plate.length:
        return of_read
    lowest = np.inf
    for at in range(text.length):
        # A comparison with NaN is false.
        if text.codes[at] != plate.codes[at] and text.char_confidences[at] < lowest:
            lowest = text.char_confidences[at]
    return log_confidence_ratio(model, lowest) if lowest < np.inf else of_read


@step
def _is_fleet_neighbour(text: Text, plate: Plate) -> bool:
    """Return whether a read has one of the numbers beside the listed one, in its last group of digits."""
    end = plate.length
    while end > 0 and not is_digit(plate.codes[end - 1]):
        end -= 1
    begin = end
    while begin > 0 and is_digit(plate.codes[begin - 1]):
        begin -= 1
    steps = 0
    for at in range(WIDTH):
        if begin <= at < end and is_digit(text.codes[at]):
            steps = 10 * steps + (as_int(text.codes[at]) - as_int(plate.codes[at]))
        elif text.codes[at] != plate.codes[at]:
            return False
    return steps != 0 and abs(steps) <= FLEET_NUMBERS


@step
def is_digit(code: int) -> bool:
    """Return whether a code is that of a digit."""
    return 0 < code < FIRST_LETTER


def candidate_shares(confidences: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how often the plate has each candidate's text."""
    shares = np.where(np.isnan(confidences), np.float32(DEFAULT_CANDIDATE_SHARE), confidences)
    return np.maximum(shares, np.float32(LEAST_CANDIDATE_SHARE))


def _log_odds(share: float) -> float:
    return math.log(share / (1 - share))


CONFIDENCE: Final[Mapping[str, Sequence[float]]] = tables.load("confidence")
