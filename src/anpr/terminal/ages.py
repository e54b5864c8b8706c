"""Writes how long ago something was, in few columns. Pure."""

from datetime import timedelta


def age(span: timedelta) -> str:
    """Return an age such as `12 min`."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
