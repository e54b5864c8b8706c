"""The score of a pair of read and entry as a sum of named evidence.

The log-odds of the score, log(score / (1 - score)), are a sum. Each part of the sum is one piece of evidence: above 0
it speaks for the match, below 0 against it. Logarithms are natural: +0.7 doubles the odds, -2.3 divides them by ten.

`PairTerms` holds the terms from which scores are computed. The evidence is made of the same terms, so a score and its
evidence cannot differ.
"""

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from anpr.matching.kernels import step

# Shares of vehicles, or logarithms of shares.
Shares = NDArray[np.float64]

# The names of the evidence that a read holds more than its plate.
COUNTRY_PREFIX: Final = "country prefix"
TEXT_AROUND: Final = "text around"
# Decimal digits of a part. The sum of the parts then gives the score to five digits; a score has four.
_DIGITS = 6


class Evidence(Struct, frozen=True):
    """One part of the log-odds of a score."""

    name: str
    log_odds: float


class PairTerms(NamedTuple):
    """The terms of the score of a pair: first logarithms, then shares of all vehicles.

    Two explanations compete. The listed vehicle went by and was read as this text, with the probability
    exp(prior + other_country + other_district + misread + confidence + near). Or another vehicle went by, with the
    probability country_share * (read_right + misread_as_text * doubt) + fleet. Both are measured by the same unit,
    so only their ratio has a meaning.

    Attributes:
        prior: That the vehicle is this listed one, before anything is read.
        other_country: That the camera names another country than the list.
        other_district: That the camera shows the gap behind another district than the list.
        misread: That the listed plate is read as this text.
        confidence: How much likelier this confidence is with a misread than with a right read; 0 for the exact plate.
        near: What no table knows and what speaks against a pair that is not even folded alike.
        country_share: The country's share of the traffic, where the entry names the same country.
        read_right: Vehicles that have this text and are read right.
        misread_as_text: Vehicles that have another text and are misread as this one.
        doubt: As `confidence`, not as a logarithm.
        fleet: Vehicles of the same fleet, with the numbers beside the listed one.
    """

    prior: float
    other_country: float
    other_district: float
    misread: float
    confidence: float
    near: float
    country_share: float
    read_right: float
    misread_as_text: float
    doubt: float
    fleet: float


def _log_listed(terms: PairTerms) -> float:
    """Return the logarithm of how probable the read is if the listed vehicle went by."""
    stated = terms.prior + terms.other_district
    return stated + terms.other_country + terms.misread + terms.confidence + terms.near


def _unlisted(terms: PairTerms) -> float:
    """Return how probable the read is if another vehicle went by."""
    return terms.country_share * (terms.read_right + terms.misread_as_text * terms.doubt) + terms.fleet


# For kernels.
log_listed = step(_log_listed)
unlisted = step(_unlisted)


def evidence_of(terms: PairTerms) -> list[Evidence]:
    """Return the evidence of a pair: its sum is the logarithm of exp(log_listed) / unlisted."""
    by_text = terms.country_share * (terms.read_right + terms.misread_as_text)
    with_confidence = terms.country_share * (terms.read_right + terms.misread_as_text * terms.doubt)
    parts = {
        "prior": terms.prior,
        "misread": terms.misread,
        "background": -math.log(by_text),
        "confidence": terms.confidence - math.log(with_confidence / by_text),
        "other country": terms.other_country,
        "other district": terms.other_district,
        "near": terms.near,
        "fleet": -math.log(_unlisted(terms) / with_confidence),
    }
    return [Evidence(name, part) for name, part in parts.items()]


def surroundings_evidence(name: str, share: float, plate: PairTerms, read: PairTerms) -> Evidence:
    """Return the evidence that a read has text around its plate, beside that of the plate. `share` is how often.

    The text as it stands may be the plate of another vehicle, or a misread of one.
    """
    with_text = share * _unlisted(plate)
    return Evidence(name, math.log(with_text / (with_text + _unlisted(read))))


def candidate_evidence(share: float, log_odds: float) -> Evidence:
    """Return the evidence that a text is only a candidate: a score with these log-odds is lowered to this share."""
    return Evidence("candidate", math.log(share) - math.log1p(math.exp(log_odds) * (1 - share)))


def total_log_odds(evidence: Iterable[Evidence]) -> float:
    """Return the log-odds of the score."""
    return math.fsum(part.log_odds for part in evidence)


def rounded(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return the parts that count, rounded for people and for JSON."""
    parts = (Evidence(part.name, round(part.log_odds, _DIGITS)) for part in evidence)
    return tuple(part for part in parts if part.log_odds != 0)
