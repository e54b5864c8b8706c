"""Finds the known name nearest to an unknown one: most unknown names are typing mistakes. Pure."""

from collections.abc import Iterable

# A name that differs in more than this share of its letters is another name, and no help.
_SHARE_OF_LETTERS = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that needs the fewest changes; "" when each needs more than one for three letters.

    Case does not count. A change is a letter that is missing, extra or different.
    """
    written = name.strip().casefold()
    near = (
        (distance, candidate)
        for candidate in known
        if (distance := _distance(written, candidate.casefold())) * _SHARE_OF_LETTERS
        <= max(len(written), len(candidate))
    )
    return min(near, key=lambda found: found[0], default=(0, ""))[1]


def nearest_note(name: str, known: Iterable[str], words: str) -> str:
    """Return `; WORDS NAME` for a message about an unknown name; "" when no known name is near."""
    found = nearest(name, known)
    return f"; {words} {found!r}" if found else ""


def _distance(one: str, other: str) -> int:
    """Return how many letters must be added, removed or replaced: the distance of Levenshtein."""
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    if (len(longer) - len(shorter)) * _SHARE_OF_LETTERS > len(longer):
        return len(longer) - len(shorter)
    row = list(range(len(shorter) + 1))
    for position, letter in enumerate(longer, start=1):
        diagonal, row[0] = row[0], position
        for column, against in enumerate(shorter, start=1):
            changed = diagonal + (letter != against)
            diagonal = row[column]
            row[column] = min(changed, diagonal + 1, row[column - 1] + 1)
    return row[-1]
