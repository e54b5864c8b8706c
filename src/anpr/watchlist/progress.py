"""How long work tells how far it is."""

from collections.abc import Callable

# Told how much of how much is done, in whatever unit the work counts.
Progress = Callable[[int, int], None]


def silent(done: int, of: int) -> None:
    """Tell nobody."""
