"""Lengths of time as people say them. Pure."""

from datetime import timedelta


def in_words(span: timedelta) -> str:
    """Return a length of time as people say it."""
    seconds = max(0.0, span.total_seconds())
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
