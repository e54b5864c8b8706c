"""The message of a benchmark that has waited in vain."""

from collections.abc import Sequence

MOST_NAMED = 10


def few(what: str, missing: Sequence[str]) -> str:
    """Return how many are missing, and the names of the first of them."""
    more = ", ..." if len(missing) > MOST_NAMED else ""
    return f"{what}: {len(missing)} ({', '.join(missing[:MOST_NAMED])}{more})"
