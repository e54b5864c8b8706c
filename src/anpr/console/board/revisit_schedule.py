"""The times at which time alone may change where an incident belongs, so that it is not checked before. Pure."""

import heapq
from datetime import datetime

from anpr.board.board import Key


class RevisitSchedule:
    """The next moment of each key. Later moments are added when that one has come, so the heap stays small."""

    def __init__(self) -> None:
        """Start with none."""
        self._heap: list[tuple[datetime, Key]] = []
        self._next_at: dict[Key, datetime] = {}

    def add(self, key: Key, at: datetime) -> None:
        """Remember that a key must be looked at again at `at`, and just after it."""
        if key not in self._next_at or at < self._next_at[key]:
            self._next_at[key] = at
            heapq.heappush(self._heap, (at, key))

    def pop_due(self, now: datetime) -> set[Key]:
        """Return the keys whose moment has come, and forget it.

        Most changes are there at their very moment. The few that come just after it must be added again.
        """
        due: set[Key] = set()
        while self._heap and self._heap[0][0] <= now:
            at, key = heapq.heappop(self._heap)
            if self._next_at.get(key) == at:
                del self._next_at[key]
                due.add(key)
        return due
