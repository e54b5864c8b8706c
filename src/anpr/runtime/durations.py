"""Writes a duration in words, such as "5 minutes". Pure."""

from datetime import timedelta


def in_words(span: timedelta) -> str:
    """Return a duration in words, such as "5 minutes"; a negative one counts as 0 seconds."""
    seconds = max(0.0, span.total_seconds())
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
