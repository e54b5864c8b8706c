"""When the changes of an index are worth a new snapshot. Pure.

Compaction writes the whole snapshot, so its cost is bounded beside what has changed: a share of the snapshot must
have changed. And a short list that changes quickly is not compacted without a pause.
"""

from typing import Final

# Every change names the removed rows of the snapshot, and every batch searches the deltas too.
LEAST_CHANGES: Final = 10_000
SHARE: Final = 0.1
LEAST_SECONDS: Final = 60.0
# So many times more changes are not left to wait.
_URGENT_FACTOR: Final = 4


def is_due(snapshot_entries: int, changes: int, seconds: float) -> bool:
    """Tell whether to compact, with so many changes since the snapshot, so long after the last compaction."""
    enough = max(LEAST_CHANGES, snapshot_entries * SHARE)
    return changes > enough and (seconds >= LEAST_SECONDS or changes > _URGENT_FACTOR * enough)
