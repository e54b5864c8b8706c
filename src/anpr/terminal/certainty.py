"""Says in words how certain a match is: an uncertain match is never called a match. Pure."""

from typing import Final

from anpr.contracts.events import Alert
from anpr.contracts.readings import is_guess

CERTAINTY: Final = {"exact": "exact", "equivalent": "same but for 0/O, 1/I", "folded": "likely: check the plate"}
POSSIBLE: Final = "possible: check the plate"


def certainty(alert: Alert) -> str:
    """Return how certain the match is, in words, with what speaks against it."""
    how_sure = POSSIBLE if is_guess(alert) else CERTAINTY.get(alert.tier, POSSIBLE)
    return "; ".join([how_sure, *alert.explanation.notes])
