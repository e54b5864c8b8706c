"""Says why a plate that was read may be the one that was asked for. Pure."""

from anpr.contracts.events import Difference, Explanation


def explanation_words(explanation: Explanation) -> list[str]:
    """Return a sentence for each difference, then the notes."""
    return [*map(_difference_words, explanation.differences), *explanation.notes]


def _difference_words(difference: Difference) -> str:
    place, read, asked = difference.place, difference.read, difference.listed
    if not asked:
        what = f"the camera also read {read} at character {difference.read_place or place}"
    elif not read:
        what = f"the camera did not read {asked} at character {place} of the plate asked for"
    else:
        what = f"at character {place} the camera read {read}, and the plate asked for has {asked}"
    return f"{what}: {difference.why}"
