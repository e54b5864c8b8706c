"""The back-check: new entries in, retrospective alerts out.

Theory of operation. Each change of the lists begins a search. It first asks for the stored sightings that have a key
of the new entries. For a pattern or a large list it goes through all sightings, piece by piece. Then it goes through
those that are stored later, because a matcher may still have had the older list. It ends when it has gone through
every read that was on the topic when the last matcher got its generation.

The engine judges each read with the whole active list, as a matcher would, and only alerts of new entries count. An
alert that history has already is not published again: an entry whose text alone has changed raises nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, NamedTuple, Protocol

from anpr.back_check.search import Progress, Search
from anpr.back_check.wanted_keys import wanted_keys
from anpr.contracts.events import Alert, BackCheckStatus, Generation
from anpr.contracts.local_days import LocalDays
from anpr.history.sighting import Sighting, Source
from anpr.index_store.follower import ActiveIndex
from anpr.kafka.topic_ends import PartitionEnds
from anpr.matcher.alerts import raise_retrospective
from anpr.matching.index import Index
from anpr.runtime.clock import Clock
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# So many offsets are gone through at once, in some tens of milliseconds.
PIECE_OFFSETS = 1000
# A clock of the broker may be ahead of this one.
_CLOCKS_DIFFER = timedelta(days=1)

# What was done at once: all that is stored was asked for by keys, or the next piece was gone through.
Work = Literal["question", "piece"]


class Sightings(Protocol):
    """What the back-check needs of `history.sighting_store.SightingStore`."""

    def next_offsets(self) -> dict[Source, int]:
        """Return up to where each source is stored."""
        ...

    def with_keys(self, keys: Collection[str], since: datetime, until: datetime) -> Iterable[Sighting]:
        """Return the sightings with one of these keys in a period."""
        ...

    def first_offset(self, source: Source, since: datetime) -> int | None:
        """Return the first offset of a source on the day of a moment, or later; None where there is none."""
        ...

    def in_offsets(self, source: Source, start: int, end: int, since: datetime) -> Sequence[Sighting]:
        """Return the sightings of a source from one offset until before another, that arrived since a moment."""
        ...


class MatchedWith(NamedTuple):
    """The generation that all matchers had, and where the reads topic ended afterwards."""

    generation: Generation
    ends: Mapping[tuple[str, int], PartitionEnds]


class BackCheck:
    """The searches of one site. `progress` is what must be kept to go on with them after a restart."""

    def __init__(  # noqa: PLR0913  everything that it touches is handed in
        self,
        progress: Progress,
        published: set[tuple[str, bool]],
        *,
        sightings: Sightings,
        known_alerts: Callable[[Sequence[Alert]], set[str]],
        publish: Callable[[Sequence[Alert]], None],
        days: LocalDays,
        window: timedelta,
        clock: Clock,
    ) -> None:
        """`known_alerts` returns which ids history has; `publish` returns when the broker has the alerts.

        `published` gets the id of each alert that the broker has, and whether it is covert. The caller hands it to
        each back-check that goes on from an older progress, and empties it once a newer progress is saved. So it
        never holds more than one question by keys finds, or what is gone through between two saves.
        """
        self.progress = progress
        self._published = published
        self._sightings = sightings
        self._known_alerts = known_alerts
        self._publish = publish
        self._days = days
        self._window = window
        self._clock = clock
        self._stored: Mapping[Source, int] = {}
        # By the generation of a search: the ends that it has to reach.
        self._ends_of: dict[Generation, Mapping[tuple[str, int], PartitionEnds]] = {}

    def note_list(self, active: ActiveIndex) -> None:
        """Begin a search if the active list is a new one."""
        generation = active.index.generation
        before = self.progress
        self.progress = before.with_new(generation, active.applied_at - self._window, self._clock())
        if self.progress is not before:
            log.info("back-check begins", generation=str(generation))

    def run_once(self, index: Index, matched: MatchedWith | None) -> Work | None:
        """Go on with each search and return what there was to do; None if all of them wait for more.

        Where one asked a question and others went on by a piece, it was a question. `matched` is what was last known
        of the matchers: what was on the topic then has to be gone through. Raises RejectedError and
        HistoryUnavailableError; what was not done is done at the next call.
        """
        work: Work | None = None
        if self.progress.searches:
            # Once for all of them: a store looks into the file of each day.
            self._stored = self._sightings.next_offsets()
        for search in self.progress.searches:
            # A machine whose index is older than that of its last run would overlook entries.
            if index.generation < search.upto:
                continue
            if search.done is None:
                self._ask(search, index)
                work = "question"
            elif matched is not None and _has_reached(search, self._ends_for(search, matched)):
                log.info("back-check ends", generation=str(search.upto))
                self.progress = self.progress.with_changed(search, None)
                self._ends_of.pop(search.upto, None)
            elif self._has_next_piece(search, index):
                work = work or "piece"
        return work

    def _ends_for(self, search: Search, matched: MatchedWith) -> Mapping[tuple[str, int], PartitionEnds]:
        """Return the ends that a search has to reach, none as long as a matcher may have an older list.

        They are the first that were known then: later ones move on with each read, and a search among many others,
        while lists change all the time, would never reach them. They only come down, where the broker has lost
        records. A topic that was created again has ends of its own.
        """
        if matched.generation < search.upto:
            return {}
        first, now = self._ends_of.get(search.upto, {}), matched.ends
        if first and first.keys() <= now.keys():
            now = {key: PartitionEnds(now[key].low, min(first[key].high, now[key].high)) for key in first}
        self._ends_of[search.upto] = now
        return now

    def waiting(self) -> int:
        """Return how many of the records that were stored at the last call all searches have yet to go through."""
        return self.progress.left(self._stored)

    def status(self, site: str) -> BackCheckStatus:
        """Return how far it is, for the boards."""
        now = self._clock()
        return BackCheckStatus(
            site=site,
            at=now,
            looked_up_to=self.progress.looked_up_to,
            records_left=self.waiting(),
            behind_since=(self.progress.behind_since or now) if self.progress.searches else None,
        )

    def _ask(self, search: Search, index: Index) -> None:
        """Ask for what is stored by the keys of the new entries, if they have keys and these are few enough."""
        keys = wanted_keys(entry for entry in index.entries_since(search.after) if search.wants(entry))
        stored = self._stored
        if keys is None:
            starts = {source: self._start(source, end, search) for source, end in stored.items()}
            self.progress = self.progress.with_changed(search, search.with_done(starts))
            return
        if keys:
            found = iter(self._sightings.with_keys(keys, search.since, self._clock() + _CLOCKS_DIFFER))
            while some := list(islice(found, PIECE_OFFSETS)):
                self._check(some, search, index)
        self.progress = self.progress.with_changed(search, search.with_done(stored))

    def _has_next_piece(self, search: Search, index: Index) -> bool:
        """Go through the next piece of what is stored, one source after the other. Return False if all is done."""
        before = search.next_offsets()
        after, left = dict(before), PIECE_OFFSETS
        for source, stored in sorted(self._stored.items()):
            start = before[source] if source in before else self._start(source, stored, search)
            end = min(start + left, stored)
            if start < end:
                self._check(self._sightings.in_offsets(source, start, end, search.since), search, index)
                left -= end - start
            after[source] = max(start, end)
        if after == before:
            return False
        self.progress = self.progress.with_changed(search, search.with_done(after))
        return True

    def _start(self, source: Source, stored: int, search: Search) -> int:
        """Return the first offset of a source that counts: `stored`, the end, if there is none."""
        first = self._sightings.first_offset(source, search.since)
        return stored if first is None else first

    def _check(self, sightings: Sequence[Sighting], search: Search, index: Index) -> None:
        """Publish what the engine finds and nobody has published."""
        reads = [sighting.read for sighting in sightings]
        raised = raise_retrospective(reads, index, self._clock(), self._days, search.wants) if reads else []
        new = {alert.alert_id: alert for alert in raised if _to_audience(alert) not in self._published}
        known = self._known_alerts(list(new.values())) if new else set()
        alerts = [alert for alert_id, alert in new.items() if alert_id not in known]
        if alerts:
            self._publish(alerts)
            self._published.update(map(_to_audience, alerts))


def _to_audience(alert: Alert) -> tuple[str, bool]:
    return alert.alert_id, alert.is_covert


def _has_reached(search: Search, ends: Mapping[tuple[str, int], PartitionEnds]) -> bool:
    """Tell whether the search has gone through every read that a matcher may have had an older list for."""
    done = search.next_offsets()
    return bool(ends) and all(
        end.low >= end.high or done.get(Source(*partition), 0) >= end.high for partition, end in ends.items()
    )
