"""Decides which failed sign-ins the audit chain records: all while they are few, later a sample. Pure.

However many fail, and from however many addresses, each stretch of `WITHIN` adds at most `MAX_LINES`.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

WITHIN: Final = timedelta(minutes=5)
MAX_LINES: Final = 100
# Each of the first ten has a line. After that the hundredth, the thousandth and so on have one.
_LINE_EACH: Final = 10


class FailedSignIns:
    """The failures of the last minutes, by name and address."""

    def __init__(self) -> None:
        """Start with none."""
        self._began_at = datetime.min.replace(tzinfo=UTC)
        self._times: Counter[tuple[str, str]] = Counter()
        self._lines = 0

    def count(self, now: datetime, name: str, address: str) -> int:
        """Count a failure. Return how often it has happened in these minutes if the chain is to state it, else 0."""
        if not timedelta() <= now - self._began_at < WITHIN:
            self._began_at, self._lines = now, 0
            self._times.clear()
        if self.is_full:
            return 0
        self._times[name, address] += 1
        times = self._times[name, address]
        is_logged = times <= _LINE_EACH or str(times).strip("0") == "1"
        self._lines += is_logged
        return times if is_logged else 0

    @property
    def is_full(self) -> bool:
        """Tell whether the chain has all the records that it gets for now."""
        return self._lines >= MAX_LINES
