"""Of which failed sign-ins the audit log is told: of a person's each, of a guesser's enough to see it. Pure.

However many come, and from however many places, each stretch of `WITHIN` adds no more than `MOST_LINES`.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

WITHIN: Final = timedelta(minutes=5)
MOST_LINES: Final = 100
# So often each has a line; after that the tenth, the hundredth, the thousandth have.
_EACH: Final = 10


class FailedSignIns:
    """What has failed in the last minutes, by name and address."""

    def __init__(self) -> None:
        """Begin with none."""
        self._began = datetime.min.replace(tzinfo=UTC)
        self._times: Counter[tuple[str, str]] = Counter()
        self._lines = 0

    def times(self, now: datetime, name: str, address: str) -> int:
        """Count one; return how often it was in these minutes if the log is to say so, else 0."""
        if now - self._began >= WITHIN:
            self._began, self._lines = now, 0
            self._times.clear()
        if self.is_full:
            return 0
        self._times[name, address] += 1
        times = self._times[name, address]
        is_told = times <= _EACH or str(times).strip("0") == "1"
        self._lines += is_told
        return times if is_told else 0

    @property
    def is_full(self) -> bool:
        """Tell whether no more are told of for now."""
        return self._lines >= MOST_LINES
