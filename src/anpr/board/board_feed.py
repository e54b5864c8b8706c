"""Feeds a board from the topics of every site, and knows how fresh what it shows is.

Each distinct Kafka address has a thread of its own that only takes records, so a site that cannot be reached holds
nobody else up. Folding happens where `take` is called. What speaks for a site's health is the last word of its own
matchers: when nothing is heard, the site is cut off, whatever the reason.
"""

import queue
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from anpr.board.board import Board
from anpr.board.camera_liveness import CameraLiveness
from anpr.board.entry_updates import EntryUpdates, ListSource
from anpr.board.rates import Rates
from anpr.board.site_health import Canary, SiteHealth
from anpr.contracts import canary, events, topics
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert, Correction, EntryEnded, Status
from anpr.kafka.interfaces import Record, Tail
from anpr.runtime import metrics
from anpr.runtime.clock import Clock
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings

log = get_logger(__name__)

TailFactory = Callable[[str, Sequence[str]], Tail]

_QUEUE_RECORDS = 10_000
_FOLLOW_EVERY = timedelta(seconds=0.25)
_PRUNE_EVERY = timedelta(minutes=10)


class BoardFeed:
    """A board that follows the topics. Call `start`, then `take` again and again.

    `board` is what everybody may see. `whole_board` also holds what is covert, and is None unless that was asked for:
    what is covert never reaches the fold of the other.
    """

    def __init__(
        self, settings: Settings, tail: TailFactory, lists: ListSource, clock: Clock, *, with_covert: bool = False
    ) -> None:
        """`tail` opens the topics at an address; `lists` tells what has become of entries."""
        span = (timedelta(minutes=settings.board.stay_gap_minutes), timedelta(hours=settings.board.window_hours))
        self.board = Board(*span)
        self.whole_board = Board(*span) if with_covert else None
        self.refused: Counter[str] = Counter()
        self.rates = Rates()
        self.cameras = CameraLiveness(timedelta(seconds=settings.board.camera_silent_after_seconds))
        self.canaries: dict[str, Canary] = {}
        # Counts what may change an incident: the words of matchers, several a second, do not.
        self.facts = 0
        self.opened_at = clock()
        self._settings = settings
        self._news = EntryUpdates(lists)
        self._clock = clock
        self._statuses: dict[tuple[str, str], Status] = {}
        self._heard_at: dict[str, datetime] = {}
        self._owner: dict[str, str] = {}
        self._covert_topics: set[str] = set()
        self._follow_at = self._prune_at = clock()
        self._queue: queue.Queue[Record] = queue.Queue(_QUEUE_RECORDS)
        self._caught_up: set[Tail] = set()
        self._stop = threading.Event()
        self._tails = {address: tail(address, names) for address, names in self._topics_by_address().items()}
        self._threads = [
            threading.Thread(target=self._pump, args=(one,), name="board-feed", daemon=True)
            for one in self._tails.values()
        ]

    def start(self) -> None:
        """Begin to read."""
        self._news.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop reading and let the brokers go."""
        self._stop.set()
        self._news.stop()
        for thread in self._threads:
            thread.join()

    def take(self, wait_seconds: float) -> int:
        """Fold what has come, waiting for the first record up to `wait_seconds`.

        Returns how many records, and words of the list on its entries, there were.
        """
        taken = 0
        try:
            self._fold(self._queue.get(timeout=wait_seconds))
            taken = 1
            while taken < _QUEUE_RECORDS:
                self._fold(self._queue.get_nowait())
                taken += 1
        except queue.Empty:
            pass
        now = self._clock()
        for news in self._news.take():
            taken += 1
            self.facts += 1
            for board in self._boards(covert=False):
                if isinstance(news, EntryEnded):
                    board.add_ended(news)
                else:
                    board.add_listed(news)
        if now >= self._follow_at:
            self._follow_at = now + _FOLLOW_EVERY
            self._news.follow((self.whole_board or self.board).entries_named())
        if now >= self._prune_at:
            self._prune_at = now + _PRUNE_EVERY
            for board in self._boards(covert=False):
                board.prune(now)
        return taken

    def caught_up(self) -> bool:
        """Tell whether everything that the topics held when they were opened is on the board."""
        return len(self._caught_up) == len(self._tails) and self._queue.empty()

    def health(self, now: datetime) -> list[SiteHealth]:
        """Return the health of every site that has cameras."""
        silent_after = timedelta(seconds=self._settings.board.silent_after_seconds)
        found = []
        for site, servers in self._settings.sites.items():
            if servers.cameras:
                heard = self._heard_at.get(site)
                is_silent = heard is None or now - heard > silent_after
                why = self._why_silent(self._tails[servers.kafka]) if is_silent else ""
                found.append(SiteHealth(site, self._matchers(site, now), heard, is_silent, why))
        return found

    def without_cameras(self) -> dict[str, str]:
        """Return, by site, why those without cameras are not heard, "" if they are: only their broker speaks."""
        return {site: self._tails[at.kafka].problem() for site, at in self._settings.sites.items() if not at.cameras}

    def _why_silent(self, tail: Tail) -> str:
        if trouble := tail.problem():
            return trouble
        if tail not in self._caught_up:
            return "its topics are not read to their end yet"
        return "its broker answers, and its matchers say nothing"

    def _matchers(self, site: str, now: datetime) -> tuple[Status, ...]:
        """Return the last word of each matcher of a site that has not left; one silent for a minute has."""
        return tuple(
            status
            for (of_site, _), status in sorted(self._statuses.items())
            if of_site == site and not status.has_left and now - status.at < timedelta(minutes=1)
        )

    def _topics_by_address(self) -> dict[str, list[str]]:
        by_address: defaultdict[str, list[str]] = defaultdict(list)
        for site, at in self._settings.sites.items():
            for topic in (topics.alerts(site), topics.actions(site), topics.status(site)):
                by_address[at.kafka].append(topic)
                self._owner[topic] = site
            for topic in topics.covert(site) if self.whole_board else ():
                by_address[at.kafka].append(topic)
                self._owner[topic] = site
                self._covert_topics.add(topic)
        return by_address

    def _boards(self, *, covert: bool) -> list[Board]:
        """Return the boards that a fact belongs on."""
        boards = [self.whole_board] if covert else [self.board, self.whole_board]
        return [board for board in boards if board is not None]

    def _pump(self, tail: Tail) -> None:
        while not self._stop.is_set():
            for record in tail.poll(0.1):
                while not self._stop.is_set():
                    try:
                        self._queue.put(record, timeout=0.1)
                        break
                    except queue.Full:
                        continue
            if tail.caught_up():
                self._caught_up.add(tail)
        tail.close()

    def _fold(self, record: Record) -> None:
        site = self._owner[record.topic]
        try:
            if record.topic == topics.status(site):
                self._fold_status(record, site)
            elif record.topic in (topics.actions(site), topics.covert_actions(site)):
                action = events.decode_action(record.value or b"")
                self._of_owner(site, action.site)
                self.facts += 1
                for board in self._boards(covert=record.topic in self._covert_topics):
                    board.add_action(action, record.offset)
            else:
                fact = events.decode_alert_record(record.value or b"")
                self._fold_alert_record(fact, site, covert=record.topic in self._covert_topics)
        except (*events.Undecodable, _ForeignError) as error:
            self.refused[record.topic] += 1
            if record.topic not in self._covert_topics:
                metrics.CONSOLE_UNREADABLE.labels(site).inc()
            log.warning(
                "record refused", topic=record.topic, partition=record.partition, offset=record.offset, why=str(error)
            )

    def _fold_alert_record(self, fact: Alert | Correction, site: str, *, covert: bool) -> None:
        if isinstance(fact, Correction):
            self._of_owner(site, fact.site)
            self.facts += 1
            for board in self._boards(covert=covert):
                board.add_correction(fact)
            return
        self._of_owner(site, fact.read.site)
        if canary.is_canary(fact):
            self._note_canary(fact)
            return
        if fact.alert_id != alert_id(site, fact.read.read_id, fact.entry.entry_id):
            raise _ForeignError("an alert under an id that is not its own")
        # The alert itself decides too: a covert one on the wrong topic stays off the open board.
        covert = covert or fact.is_covert
        self.facts += 1
        for board in self._boards(covert=covert):
            board.add_alert(fact)
        if not covert and fact.raised_at >= self.opened_at:  # older ones say how long this board was closed
            self.rates.note_alert(fact, self._clock())
            if fact.has_trusted_latency:
                seconds = (self._clock() - fact.captured_at).total_seconds()
                metrics.CAPTURE_TO_BOARD.labels(site).observe(seconds)

    def _note_canary(self, alert: Alert) -> None:
        known = self.canaries.get(alert.read.site)
        if known is None or known.sent_at < alert.captured_at:
            self.canaries[alert.read.site] = Canary(alert.captured_at, self._clock())

    def _fold_status(self, record: Record, site: str) -> None:
        status = events.decode_status(record.value or b"")
        self._of_owner(site, status.site)
        known = self._statuses.get((site, status.matcher))
        if known is None or known.at <= status.at:
            self._statuses[site, status.matcher] = status
            self.rates.note_status(status)
            self.cameras.note(status)
        # Once all is read, what comes has just come: then this machine's own clock tells the silence that follows.
        now = self._clock()
        heard_at = now if self.caught_up() else min(now, record.arrived_at or status.at)
        self._heard_at[site] = max(heard_at, self._heard_at.get(site, heard_at))

    def _of_owner(self, owner: str, site: str) -> None:
        if site != owner:
            raise _ForeignError(f"a record of site {site!r} on a topic of {owner!r}")


class _ForeignError(Exception):
    """A record that claims to be of another site than its topic's owner, or another alert than it is."""
