"""Which generation all matchers of a site have. Pure.

A read that was on the topic before then may have been matched with an older list, so it must be looked through here.
"""

from datetime import datetime, timedelta

from anpr.contracts.events import Generation, Status

# A matcher reports once a second. Its partitions have another owner long before it has been silent for this long.
_SILENT_AFTER = timedelta(seconds=10)


class MatcherGenerations:
    """The newest status of each matcher of a site."""

    def __init__(self) -> None:
        """No matcher is known yet."""
        self._statuses: dict[str, Status] = {}

    def note(self, status: Status) -> None:
        """Note the status of a matcher."""
        newest = self._statuses.get(status.matcher)
        if newest is None or newest.at <= status.at:
            self._statuses[status.matcher] = status

    def lowest(self, partitions: int, now: datetime) -> Generation | None:
        """Return the oldest generation that a matcher has, None unless they have all `partitions` between them.

        A partition without a matcher is read later, by one whose generation is not known yet.
        """
        at_work = [
            status
            for status in self._statuses.values()
            if status.partitions and not status.has_left and now - status.at < _SILENT_AFTER
        ]
        generations = [status.generation for status in at_work if status.generation is not None]
        if len(generations) < len(at_work) or sum(status.partitions for status in at_work) < partitions:
            return None
        return min(generations, default=None)
