"""How long work reports its progress. Pure."""

from collections.abc import Callable

# Called with how much of how much is done, in the unit that the work counts.
Progress = Callable[[int, int], None]


def silent(done: int, of: int) -> None:
    """Report nothing."""
