"""Which generation all matchers of a site have. Pure.

A read that was on the topic before then may have been matched with an older list, so it must be looked through here.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from anpr.contracts.events import Generation, Status

# A matcher reports once a second. Its partitions have another owner long before it has been silent for this long.
_SILENT_AFTER = timedelta(seconds=10)


class _MatcherReport(NamedTuple):
    status: Status
    arrived_at: datetime
    received_seconds: float


class MatcherGenerations:
    """The newest status of each matcher of a site. Only the broker's clock counts, and seconds that never jump."""

    def __init__(self) -> None:
        """No matcher is known yet."""
        self._reported: dict[str, _MatcherReport] = {}
        self._last_arrival: datetime | None = None

    def note(self, status: Status, arrived_at: datetime, received_seconds: float) -> None:
        """Note the next status on the topic: when the broker got it, and when it was received here.

        Matchers that are silent are forgotten: each start may make up a new name.
        """
        heard_since = received_seconds - _SILENT_AFTER.total_seconds()
        self._reported = {name: one for name, one in self._reported.items() if one.received_seconds > heard_since}
        self._reported[status.matcher] = _MatcherReport(status, arrived_at, received_seconds)
        self._last_arrival = arrived_at

    def lowest(self, partitions: int, now_seconds: float) -> Generation | None:
        """Return the oldest generation that a matcher has, None unless they have all `partitions` between them.

        A partition without a matcher is read later, by one whose generation is not known yet.
        """
        at_work = [
            reported.status
            for reported in self._reported.values()
            if reported.status.partitions and not reported.status.has_left and self._is_heard(reported, now_seconds)
        ]
        generations = [status.generation for status in at_work if status.generation is not None]
        if len(generations) < len(at_work) or sum(status.partitions for status in at_work) < partitions:
            return None
        return min(generations, default=None)

    def _is_heard(self, reported: _MatcherReport, now_seconds: float) -> bool:
        """Tell whether a matcher has reported of late: by the clock here, and on the topic beside the others."""
        is_late_here = now_seconds - reported.received_seconds >= _SILENT_AFTER.total_seconds()
        return (
            not is_late_here
            and abs((self._last_arrival or reported.arrived_at) - reported.arrived_at) < _SILENT_AFTER
        )
