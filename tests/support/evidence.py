"""A score from its evidence."""

import math
from collections.abc import Iterable

from anpr.matching.scoring.evidence import Evidence, total_log_odds


def probability_of(evidence: Iterable[Evidence]) -> float:
    """Return the probability whose log-odds are the sum of the evidence, however far below zero that is."""
    return (1 + math.tanh(total_log_odds(evidence) / 2)) / 2
