"""The back-check as a service on real servers: beside a history and an index builder of its machine."""

import threading
import time
from contextlib import ExitStack, suppress
from datetime import timedelta

from anpr.back_check.alert_publisher import AlertPublisher
from anpr.back_check.back_check import PIECE_OFFSETS, BackCheck, MatchedWith, Work
from anpr.back_check.back_check_status import BackCheckStatusPublisher
from anpr.back_check.known_alerts import KnownAlerts
from anpr.back_check.matcher_generations import MatcherGenerations
from anpr.back_check.progress_file import ProgressFile, progress_path
from anpr.contracts import topics
from anpr.contracts.events import Generation, Undecodable, decode_status
from anpr.contracts.local_days import LocalDays
from anpr.history.database import HistoryUnavailableError, NoStoreError
from anpr.history.schema import OtherSchemaError
from anpr.history.store_refusals import StoreRefusals
from anpr.history.stores import open_facts, open_sightings
from anpr.index_store.folder import IndexFolder
from anpr.index_store.follower import IndexFollower
from anpr.kafka.delivery_errors import RejectedError
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.rejections import RETRY_SECONDS, Rejections
from anpr.kafka.tail import KafkaTail
from anpr.kafka.topic_ends import TopicEnds
from anpr.runtime import metrics
from anpr.runtime.clock import system_clock
from anpr.runtime.health import Health
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings
from anpr.runtime.shutdown import StoppedError

log = get_logger(__name__)

WAIT_SECONDS = 0.02
_ASK_ENDS_EVERY_SECONDS = 1.0
# A topic that was created again meanwhile would never reach the ends of the one before. A history that lags would
# never reach ends that are asked for all the time.
_ASK_AGAIN_AFTER_SECONDS = 60.0
_SAVE_EVERY_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 0.2
_LONGEST_PAUSE_AFTER_QUESTION_SECONDS = 0.2


def pause_seconds(work: Work | None, took: float, *, is_searching: bool) -> float:
    """Return how long to pause after work that took so many seconds: live matching comes first."""
    if work == "question":
        # By all keys of a change it may take a second, and comes once. The next change does not wait as long again.
        return min(took, _LONGEST_PAUSE_AFTER_QUESTION_SECONDS)
    if work is None and is_searching:
        # A search that waits, perhaps for days, looks each time into the file of every day.
        return max(took, _LOOK_AGAIN_SECONDS)
    return took


class BackCheckService:
    """The back-check of one site. `health` says why it is not ready, from any thread."""

    def __init__(self, settings: Settings, site: str, stop: threading.Event) -> None:
        """Look for new entries until `stop` is set."""
        self.health = Health("back-check", self._why_not_ready)
        self._settings = settings
        self._site = site
        self._kafka = settings.sites[site].kafka
        self._stop = stop
        self._follower = IndexFollower(IndexFolder(settings.index_dir), f"anpr index --site {site}")
        self._rejections = Rejections(f"the broker at {self._kafka} refuses the back-check")
        self._refusals = StoreRefusals()
        self._file = ProgressFile(progress_path(settings, site))
        self._progress = self._file.load()
        # Since the progress was saved: where it cannot be, the same sightings are gone through again each second.
        self._published: set[tuple[str, bool]] = set()
        self._matched: MatchedWith | None = None
        self._ask_ends_at = self._ask_again_at = self._save_at = 0.0

    def run(self) -> None:
        """Look for what is new until it is time to stop. Raises UnavailableError where another one does already."""
        log.info("back-check runs")
        self._follower.start()
        with ExitStack() as opened, suppress(StoppedError):
            opened.callback(self._follower.stop)
            is_alone = False
            while not self._stop.is_set():
                self.health.heartbeat()
                try:
                    if not is_alone:
                        opened.callback(self._file.lock().close)
                        is_alone = True
                    self._run_until_refused()
                except RejectedError as error:
                    self._rejections.note(error)
                except (HistoryUnavailableError, NoStoreError, OtherSchemaError) as error:
                    self._refusals.note(error)
                self._stop.wait(RETRY_SECONDS)
        log.info("back-check stopped in order")

    def _run_until_refused(self) -> None:
        """Go on from what was saved.

        Raises RejectedError, HistoryUnavailableError, NoStoreError and OtherSchemaError: all of them may pass, the
        last when history has upgraded its store. Every other InputError is of the settings and ends the service.
        """
        with ExitStack() as opened:
            sightings = open_sightings(self._settings, self._site, is_writer=False)
            opened.callback(sightings.close)
            facts = [
                open_facts(self._settings, self._site, covert=covert, is_writer=False) for covert in (False, True)
            ]
            for store in facts:
                opened.callback(store.close)
            tail = KafkaTail(self._kafka, [topics.status(self._site)])
            opened.callback(tail.close)
            ends = TopicEnds(self._kafka, topics.reads(self._site))
            opened.callback(ends.close)
            generations = MatcherGenerations()
            producer = KafkaProducer(self._kafka)
            status_publisher = BackCheckStatusPublisher(self._site, producer, self._rejections.note)
            back_check = BackCheck(
                self._progress,
                self._published,
                sightings=sightings,
                known_alerts=KnownAlerts(*facts),
                publish=AlertPublisher(producer, self._while_waiting),
                days=LocalDays(self._settings.zones),
                window=timedelta(hours=self._settings.history.back_check_hours),
                clock=system_clock,
            )
            while not self._stop.is_set():
                self.health.heartbeat()
                _note_statuses(tail, self._site, generations)
                self._go_on(back_check, status_publisher)
                if back_check.progress.searches and tail.caught_up():
                    self._ask_matchers(back_check.progress.checked, generations, ends)

    def _go_on(self, back_check: BackCheck, status_publisher: BackCheckStatusPublisher) -> None:
        """Do one piece of each search, tell how far it is, then pause."""
        active = self._follower.active
        if active is None:
            return
        started_at = time.monotonic()
        back_check.note_list(active)
        work = back_check.run_once(active.index, self._matched)
        self._save(back_check)
        self._refusals.clear()
        status_publisher.publish_when_due(back_check)
        took = time.monotonic() - started_at
        self._stop.wait(pause_seconds(work, took, is_searching=bool(back_check.progress.searches)))

    def _ask_matchers(self, newest: Generation, generations: MatcherGenerations, ends: TopicEnds) -> None:
        """Note where the topic ends, as soon as all matchers have the newest generation that is looked for."""
        now = time.monotonic()
        is_known = self._matched is not None and self._matched.generation >= newest and now < self._ask_again_at
        if is_known or now < self._ask_ends_at:
            return
        self._ask_ends_at, self._ask_again_at = now + _ASK_ENDS_EVERY_SECONDS, now + _ASK_AGAIN_AFTER_SECONDS
        found = ends.ask()
        self._rejections.clear()
        generation = generations.lowest(len(found), time.monotonic())
        if generation is not None:
            # The statuses are older than the ends, so no later read can be matched with an older list.
            self._matched = MatchedWith(generation, found)

    def _save(self, back_check: BackCheck) -> None:
        """Save what has changed: at once where a search begins or ends, else now and then."""
        new, saved = back_check.progress, self._progress
        if new == saved:
            return
        is_other_search = [search.upto for search in new.searches] != [search.upto for search in saved.searches]
        if is_other_search or time.monotonic() >= self._save_at:
            self._file.save(new)
            self._progress = new
            self._published.clear()
            self._save_at = time.monotonic() + _SAVE_EVERY_SECONDS
            self._show_progress(back_check)

    def _show_progress(self, back_check: BackCheck) -> None:
        waiting = back_check.waiting()
        metrics.BACK_CHECK_SEARCHES.labels(self._site).set(len(back_check.progress.searches))
        metrics.BACK_CHECK_WAITING.labels(self._site).set(waiting)
        if waiting > PIECE_OFFSETS:
            log.info("back-check searches", records_left=waiting)

    def _while_waiting(self) -> None:
        self.health.heartbeat()
        if self._stop.is_set():
            raise StoppedError

    def _why_not_ready(self) -> list[str]:
        """Return why new entries are not looked for."""
        missing = [*self._rejections.why_not_ready(), *self._refusals.why_not_ready()]
        if self._follower.active is None:
            missing.append(f"no list: there is no usable index in {self._settings.index_dir}; start `anpr index`")
        return missing


def _note_statuses(tail: KafkaTail, site: str, generations: MatcherGenerations) -> None:
    """Note the statuses of a site's own matchers. One of another site says nothing of the reads of this one."""
    for record in tail.poll(WAIT_SECONDS):
        with suppress(*Undecodable):
            status = decode_status(record.value or b"")
            if status.site == site and record.arrived_at is not None:
                generations.note(status, record.arrived_at, time.monotonic())
