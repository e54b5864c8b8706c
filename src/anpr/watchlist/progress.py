"""The callback by which long work reports its progress. Pure."""

from collections.abc import Callable

# Called with the amount done and the total, in the unit of the work.
Progress = Callable[[int, int], None]


def silent(done: int, of: int) -> None:
    """Report nothing."""
