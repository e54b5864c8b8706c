"""Until when the reads of a port have been looked through: the proof that arrivals are met there.

History stores reads a moment after they came. So the watch notes now and then where the reads topic ends. Once
history has stored all before these ends, and the watch has looked, every read of that moment has been looked through.
"""

from collections.abc import Mapping
from datetime import datetime

from anpr.history.sighting import Source
from anpr.kafka.topic_ends import PartitionEnds

# The metrics of history show a longer lag.
_MOST_ENDS = 100


class WatchedUntil:
    """The ends that history has not reached yet."""

    def __init__(self) -> None:
        """Nothing has been noted."""
        self._ends: list[tuple[datetime, Mapping[tuple[str, int], PartitionEnds]]] = []

    @property
    def is_waiting(self) -> bool:
        """Whether there are ends that history has not reached."""
        return bool(self._ends)

    def note_ends(self, asked_at: datetime, ends: Mapping[tuple[str, int], PartitionEnds]) -> None:
        """Note where the topic ended at a moment."""
        if ends:
            self._ends = [*self._ends[-_MOST_ENDS + 1 :], (asked_at, ends)]

    def until(self, stored: Mapping[Source, int]) -> datetime | None:
        """Return the latest moment whose ends history had reached before the last look, None if there is none new.

        `stored` says up to where each source was stored then.
        """
        reached = [number for number, (_, ends) in enumerate(self._ends) if _has_reached(stored, ends)]
        if not reached:
            return None
        until = self._ends[reached[-1]][0]
        del self._ends[: reached[-1] + 1]
        return until


def _has_reached(stored: Mapping[Source, int], ends: Mapping[tuple[str, int], PartitionEnds]) -> bool:
    # Where the broker holds nothing any more, there is nothing to store.
    return all(max(stored.get(Source(*partition), 0), end.low) >= end.high for partition, end in ends.items())
