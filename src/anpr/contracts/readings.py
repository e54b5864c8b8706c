"""Which of a camera's readings of a plate matched: its first, or only a later guess. Pure."""

from typing import Final

from anpr.contracts.events import TIERS, Alert, Explanation, Read, Tier
from anpr.contracts.plates import as_read

FIRST: Final = 1
# A match by a guess is as sure as a match by an edit of the plate, at best: the camera itself read another plate.
SUREST_OF_GUESSES: Final = "near"


def reading_that_matched(read: Read, explanation: Explanation) -> int:
    """Return 1 where the camera's own text matched, 2 where its first candidate did, and so on."""
    if not read.candidates or ("plate" not in read.dropped_fields and as_read(read.plate) == explanation.read_as):
        return FIRST
    texts = (as_read(candidate.plate) for candidate in read.candidates)
    return next((number for number, text in enumerate(texts, FIRST + 1) if text == explanation.read_as), FIRST)


def is_guess(alert: Alert) -> bool:
    """Tell whether an alert is about a later guess of the camera, and not about what it read first."""
    return reading_that_matched(alert.read, alert.explanation) != FIRST


def effective_tier(alert: Alert) -> Tier:
    """Return the tier of an alert, for a guess that of an edit at best."""
    return effective_tier_of(alert.tier, alert.read, alert.explanation)


def effective_tier_of(tier: Tier, read: Read, explanation: Explanation) -> Tier:
    """Return how sure a match is whose tier this is: for a guess as sure as by an edit at best."""
    is_too_sure = tier in TIERS[: TIERS.index(SUREST_OF_GUESSES)]
    return SUREST_OF_GUESSES if is_too_sure and reading_that_matched(read, explanation) != FIRST else tier


def ordinal(reading: int) -> str:
    """Return the number of a reading as a word."""
    words = ("first", "second", "third", "fourth", "fifth")
    return words[reading - 1] if reading <= len(words) else f"{reading}th"


def guess_note(first_reading: str, reading: int) -> str:
    """Return how a match by a guess is described."""
    return f"the camera's first reading was {first_reading or 'no plate'}; its {ordinal(reading)} matches"
