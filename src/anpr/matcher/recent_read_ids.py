"""Remembers recent reads, to count a read id that its camera has used for another capture. Pure.

That happens when a camera restarts and counts its reads from 1 again, or when two devices share one name. No alert
depends on it: the ids of alerts tell such reads apart (docs/adr/0025).
"""

from typing import Final

import numpy as np

from anpr.contracts.events import Read

# A million reads is a week of the busiest port. The two tables take 16 MB.
SLOTS: Final = 2**20


class RecentReadIds:
    """A table with one slot for each hash of a camera and read id. A newer read takes the slot of an older one.

    So the memory is bounded, and of the last `SLOTS` reads about two thirds are still known. Two ids are taken for
    one only if all 64 bits of their hashes agree.
    """

    def __init__(self) -> None:
        """Start without reads. A matcher that restarts forgets them."""
        self._ids = np.zeros(SLOTS, np.int64).data
        self._captures = np.zeros(SLOTS, np.int64).data

    def is_reused(self, read: Read) -> bool:
        """Remember a read. Return whether its camera has used its read id for another capture.

        A repeat has the same capture time as the camera wrote it. When the camera writes none, only another plate
        shows another capture.
        """
        of_id = hash((read.camera, read.read_id))
        capture = hash(read.claimed_at or (read.plate,))
        slot = of_id % SLOTS
        is_reused = self._ids[slot] == of_id and self._captures[slot] != capture
        self._ids[slot] = of_id
        self._captures[slot] = capture
        return is_reused
