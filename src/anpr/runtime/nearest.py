"""Finds the known name nearest to an unknown one: most unknown names are typing mistakes. Pure."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that looks most like this one; "" when none is known."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0)), "")
