"""Feeds the boards from the topics of every site, and knows how fresh they are.

It puts three parts together: `topic_follower` brings the records, `audience_boards` folds them into incidents, and
`site_monitor` knows each site's health. Folding happens in the thread that calls `fold_new_records`.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from anpr.board.audience_boards import AudienceBoards
from anpr.board.board_records import board_topics, is_covert, is_for_boards
from anpr.board.entry_updates import EntryUpdate, EntryUpdates, ListSource
from anpr.board.site_health import CalibratedCamera, ClockSet, SiteHealth
from anpr.board.site_monitor import SiteMonitor
from anpr.board.status_order import topic_position
from anpr.board.topic_follower import OpenTail, TopicFollower
from anpr.contracts import canary
from anpr.contracts.events import Action, Alert, ArrivalsWatched, BackCheckStatus, EntryListed, Loss, Status
from anpr.contracts.losses import ACKNOWLEDGED, Losses
from anpr.contracts.site_topics import UNREADABLE, SiteTopic, check_time, decode
from anpr.kafka.interfaces import Record
from anpr.kafka.offset_gaps import GapFinder
from anpr.runtime import metrics
from anpr.runtime.cautious_clock import CautiousClock
from anpr.runtime.clock import Clock
from anpr.runtime.clock_steps import ClockSteps
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings

log = get_logger(__name__)

_FOLLOW_ENTRIES_EVERY_SECONDS = 0.25
_PRUNE_EVERY_SECONDS = 600.0
# For so long the pages say that the clock was set.
_CLOCK_SET_SECONDS = 3600.0
# Among the topics, the name under which updates of entries are counted that cannot be folded.
WATCHLIST = "the watchlist"


class BoardFeed:
    """Boards that follow the topics. Call `start`, then `fold_new_records` again and again.

    Attributes:
        board: The board that everybody may see.
        whole_board: The board that also holds covert alerts; None unless that was asked for.
        site_monitor: The sites' rates, cameras and canaries.
        losses: The reads that the brokers deleted before a matcher had read them.
        unreadable_records: By topic, how many records could not be read.
        missed_records: By topic, how many records the broker deleted before this feed had read them. What it deleted
            before the feed was opened does not count: no board shows that.
        opened_at: When this feed was made.
    """

    def __init__(  # noqa: PLR0913  everything it touches is handed in
        self,
        settings: Settings,
        open_tail: OpenTail,
        lists: ListSource,
        clock: Clock,
        *,
        with_covert: bool = False,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """`open_tail` opens topics at an address; `lists` reports which entries have ended or changed."""
        self.opened_at = clock()
        self.unreadable_records: Counter[str] = Counter()
        self.missed_records: Counter[str] = Counter()
        self._gap_finder = GapFinder()
        self.site_monitor = SiteMonitor(settings, self.opened_at)
        self._boards = AudienceBoards(settings, with_covert=with_covert)
        self.losses = Losses(timedelta(hours=settings.topics.losses_kept_hours))
        self.board = self._boards.open_board
        self.whole_board = self._boards.whole_board
        self._settings = settings
        self._clock = clock
        self._topics = board_topics(settings.sites, with_covert=with_covert)
        self._follower = TopicFollower(open_tail, self._topics_at())
        self._entry_updates = EntryUpdates(lists, self._follower.wake)
        self._stopwatch = stopwatch
        self._clock_steps = ClockSteps(clock, stopwatch)
        self._cautious_clock = CautiousClock(clock, stopwatch)
        self._clock_set: tuple[ClockSet, float] | None = None
        self._follow_entries_at = self._prune_at = stopwatch()

    @property
    def change_count(self) -> int:
        """How many facts have come that may change an incident. The status of a matcher does not."""
        return self._boards.change_count

    def start(self) -> None:
        """Start to read."""
        self._entry_updates.start()
        self._follower.start()

    def stop(self) -> None:
        """Stop reading and disconnect from the brokers."""
        self._entry_updates.stop()
        self._follower.stop()

    def fold_new_records(self, wait_seconds: float) -> int:
        """Fold the records that have arrived, waiting for the first one up to `wait_seconds`.

        The wait also ends for an update of an entry, and when another thread calls `wake`.
        Returns how many records and updates of entries there were.
        """
        count = 0
        for record in self._follower.records(wait_seconds):
            self._fold_alone(record)
            count += 1
        for update in self._entry_updates.new_updates():
            self._add_update_alone(update)
            count += 1
        self._follow_and_prune(self._stopwatch())
        return count

    def wake(self) -> None:
        """Let the present or the next `fold_new_records` return without a wait."""
        self._follower.wake()

    def _follow_and_prune(self, seconds: float) -> None:
        """Do what is due by the stopwatch: the clock may be set at any time."""
        if seconds >= self._follow_entries_at:
            self._follow_entries_at = seconds + _FOLLOW_ENTRIES_EVERY_SECONDS
            self._entry_updates.follow_entries(self._boards.entries_named())
            if step := self._clock_steps.note():
                self.opened_at = min(self.opened_at, self._clock())
                self._clock_set = ClockSet(self._clock(), timedelta(seconds=step)), seconds
        if seconds >= self._prune_at:
            self._prune_at = seconds + _PRUNE_EVERY_SECONDS
            now = self._cautious_clock()  # what is forgotten does not come back before a restart
            self._boards.prune(now)
            self.losses.prune(now)
            self.site_monitor.prune(now)

    def caught_up(self) -> bool:
        """Tell whether everything that the topics held when they were opened is on the board."""
        return self._follower.caught_up()

    def unread_sites(self) -> frozenset[str]:
        """Return the sites whose topics have not been read yet as far as they went when they were opened."""
        return frozenset(
            name for name, site in self._settings.sites.items() if not self._follower.has_caught_up(site.kafka)
        )

    def clock_set(self) -> ClockSet | None:
        """Return how the clock of this machine was set within the last hour; None when nobody has set it."""
        if self._clock_set is None or self._stopwatch() - self._clock_set[1] > _CLOCK_SET_SECONDS:
            return None
        return self._clock_set[0]

    def health(self, now: datetime) -> list[SiteHealth]:
        """Return the health of every site that has cameras."""
        return self.site_monitor.health(now, self._follower.why_silent)

    def problems_without_cameras(self) -> dict[str, str]:
        """Return, by site without cameras, what keeps its broker's records from coming, "" when all is well.

        Such a site has no matcher that could report its status.
        """
        return {
            name: self._follower.problem(site.kafka)
            for name, site in self._settings.sites.items()
            if not site.cameras
        }

    def calibrated_cameras(self) -> dict[str, tuple[CalibratedCamera, ...]]:
        """Return by site the cameras whose confidence is calibrated, as the watchlist says."""
        by_site: defaultdict[str, list[CalibratedCamera]] = defaultdict(list)
        for one in self._entry_updates.calibrations():
            by_site[one.site].append(CalibratedCamera(one.camera, one.reads, one.since, one.until, one.applied_at))
        return {site: tuple(cameras) for site, cameras in by_site.items()}

    def _topics_at(self) -> dict[str, list[str]]:
        by_address: defaultdict[str, list[str]] = defaultdict(list)
        for name, topic in self._topics.items():
            by_address[self._settings.sites[topic.site].kafka].append(name)
        return by_address

    def _fold_alone(self, record: Record) -> None:
        """Fold a record. One that cannot be folded costs only itself: it is counted, and the board says so."""
        try:
            self._fold(record)
        except Exception as error:
            log.exception("a record cannot be folded")
            self._count_unreadable(record, self._topics[record.topic], error)

    def _add_update_alone(self, update: EntryUpdate) -> None:
        try:
            self._boards.add_entry_update(update)
        except Exception:
            log.exception("an update of an entry cannot be folded")
            if not (isinstance(update, EntryListed) and update.entry.is_covert):
                self.unreadable_records[WATCHLIST] += 1

    def _fold(self, record: Record) -> None:
        topic = self._topics[record.topic]
        self._look_for_gap(record, topic)
        if not is_for_boards(record, topic):
            return
        try:
            fact = decode(record.value or b"", topic)
            check_time(fact, record.arrived_at)
        except UNREADABLE as error:
            self._count_unreadable(record, topic, error)
            return
        if isinstance(fact, Status | BackCheckStatus):
            self._note_status(fact, record)
        elif isinstance(fact, ArrivalsWatched):
            if not topic.is_covert:
                self.site_monitor.note_arrivals_watched(fact)
        elif isinstance(fact, Loss):
            self.losses.add(fact)
        elif isinstance(fact, Alert) and canary.is_canary(fact):
            self.site_monitor.note_canary(fact, self._clock())
        else:
            covert = is_covert(fact, topic)
            self._boards.add(fact, record.offset, is_covert=covert)
            if isinstance(fact, Action) and fact.kind == ACKNOWLEDGED:
                self.losses.acknowledge(fact)
            if isinstance(fact, Alert) and not covert:
                self.site_monitor.note_alert(fact, self._clock())

    def _note_status(self, status: Status | BackCheckStatus, record: Record) -> None:
        received_at = self._received_at(record, status)
        if isinstance(status, BackCheckStatus):
            self.site_monitor.back_checks.note(status, received_at)
        else:
            self.site_monitor.note_status(status, received_at, topic_position(record))

    def _look_for_gap(self, record: Record, topic: SiteTopic) -> None:
        """Count the records that are missing before a record. A newer status replaces the older ones."""
        self._gap_finder.note_records([record])
        gaps, self._gap_finder.gaps = self._gap_finder.gaps, []
        for gap in gaps:
            if topic.holds != "status" and gap.last is not None:
                count = gap.last - gap.first + 1
                self.missed_records[record.topic] += count
                log.error("the broker deleted records before they were read", topic=record.topic, records=count)

    def _received_at(self, record: Record, status: Status | BackCheckStatus) -> datetime:
        """Return when a status was received from its site.

        Once its topics are read, a record has only just come. Then this machine's own clock measures the silence
        after it.
        """
        now, site = self._clock(), self._settings.sites[status.site]
        return now if self._follower.has_caught_up(site.kafka) else min(now, record.arrived_at or status.at)

    def _count_unreadable(self, record: Record, topic: SiteTopic, error: Exception) -> None:
        self.unreadable_records[record.topic] += 1
        if not topic.is_covert:
            metrics.CONSOLE_UNREADABLE.labels(topic.site).inc()
        log.warning(
            "record cannot be read",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            why=str(error) if isinstance(error, UNREADABLE) else type(error).__name__,
        )
