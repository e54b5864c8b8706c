"""The service that looks for arrivals. It runs beside a history of its port."""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime

from anpr.arrivals.arrival_watch import AddressedArrival, ArrivalWatch
from anpr.arrivals.watched_until import WatchedUntil
from anpr.board.board_feed import BoardFeed
from anpr.contracts import topics
from anpr.contracts.events import ArrivalsWatched, encode
from anpr.history.database import HistoryUnavailableError, NoStoreError
from anpr.history.store_refusals import StoreRefusals
from anpr.history.stores import open_sightings
from anpr.kafka.delivery_errors import RejectedError
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.rejections import RETRY_SECONDS, Rejections
from anpr.kafka.tail import KafkaTail
from anpr.kafka.topic_ends import TopicEnds
from anpr.runtime import metrics
from anpr.runtime.clock import system_clock
from anpr.runtime.health import Health
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Route, Settings
from anpr.runtime.shutdown import StoppedError
from anpr.watchlist.store.home import watchlist_reader

log = get_logger(__name__)

_LOOK_EVERY_SECONDS = 0.5
_FOLD_SECONDS = 0.1
_WATCHED_KEY = "watched"
_FLUSH_SECONDS = 1.0
# Boards wait for a minute (`ARRIVALS_UNWATCHED_AFTER`). The topic keeps each record for days, so there are few.
_PUBLISH_EVERY_SECONDS = 20.0
# Until the topics are read, vehicles look expected that have been met. A port that is out of reach must not keep the
# others waiting.
_READ_BACK_SECONDS = 30.0


class ArrivalService:
    """The watch of one port. `health` says why it is not ready, from any thread."""

    def __init__(self, settings: Settings, site: str, routes: Mapping[str, Route], stop: threading.Event) -> None:
        """Look for the vehicles that come by these routes, which are by their origin, until `stop` is set."""
        self.health = Health("meet", self._why_not_ready)
        self._settings = settings
        self._site = site
        self._routes = routes
        self._kafka = settings.sites[site].kafka
        self._stop = stop
        self._feed = BoardFeed(
            settings,
            KafkaTail,
            watchlist_reader(settings, site, may_be_away=True),
            system_clock,
            with_covert=True,
        )
        self._rejections = Rejections(f"the broker at {self._kafka} refuses arrivals")
        self._refusals = StoreRefusals()
        metrics.ARRIVALS_WATCHED.labels(site).set(0)

    def run(self) -> None:
        """Look until it is time to stop."""
        log.info("the watch for arrivals runs")
        self._feed.start()
        with ExitStack() as opened, suppress(StoppedError):
            opened.callback(self._feed.stop)
            self._read_back()
            while not self._stop.is_set():
                self.health.heartbeat()
                try:
                    self._run_until_refused()
                except RejectedError as error:
                    self._rejections.note(error)
                except (HistoryUnavailableError, NoStoreError) as error:
                    self._refusals.note(error)
                self._stop.wait(RETRY_SECONDS)
        log.info("the watch for arrivals stopped in order")

    def _read_back(self) -> None:
        read_until = time.monotonic() + _READ_BACK_SECONDS
        while not self._feed.caught_up() and time.monotonic() < read_until and not self._stop.is_set():
            self.health.heartbeat()
            self._feed.fold_new_records(_FOLD_SECONDS)

    def _run_until_refused(self) -> None:
        """Look again and again. Raises RejectedError, HistoryUnavailableError or NoStoreError."""
        with ExitStack() as opened:
            sightings = open_sightings(self._settings, self._site, is_writer=False)
            opened.callback(sightings.close)
            ends = TopicEnds(self._kafka, topics.reads(self._site))
            opened.callback(ends.close)
            producer = KafkaProducer(self._kafka)
            watch = ArrivalWatch(
                self._site, self._routes, sightings=sightings, publish=lambda found: self._publish(producer, found)
            )
            watched_until = WatchedUntil()
            look_at = ask_at = 0.0
            while not self._stop.is_set():
                self.health.heartbeat()
                self._feed.fold_new_records(_FOLD_SECONDS)
                if time.monotonic() >= look_at:
                    # Live matching comes first: it rests at least as long as it works.
                    started_at = time.monotonic()
                    if started_at >= ask_at:
                        watched_until.note_ends(system_clock(), ends.ask())
                        ask_at = started_at + _PUBLISH_EVERY_SECONDS
                    stored = sightings.next_offsets() if watched_until.is_waiting else {}
                    self._publish_new_arrivals(watch)
                    self._publish_watched_until(producer, watched_until.until(stored))
                    look_at = time.monotonic() + max(_LOOK_EVERY_SECONDS, time.monotonic() - started_at)

    def _publish_new_arrivals(self, watch: ArrivalWatch) -> None:
        feed = self._feed
        found = watch.publish_new_arrivals(feed.board, feed.whole_board or feed.board, system_clock())
        self._refusals.clear()
        count = sum(not arrival.is_covert for arrival in found)
        metrics.ARRIVALS.labels(self._site).inc(count)
        if found:
            self._rejections.clear()

    def _publish_watched_until(self, producer: KafkaProducer, until: datetime | None) -> None:
        """Tell the boards until when arrivals have been met, if that is new."""
        if until is None:
            return
        watched = ArrivalsWatched(site=self._site, until=until)
        producer.produce(topics.arrivals(self._site), _WATCHED_KEY, encode(watched))
        self._flush(producer)
        metrics.ARRIVALS_WATCHED.labels(self._site).set(until.timestamp())

    def _publish(self, producer: KafkaProducer, found: Sequence[AddressedArrival]) -> None:
        """Return when the broker has the arrivals. Raises UndeliveredError when it refuses one."""
        for arrival, is_covert in found:
            topic = topics.covert_arrivals(self._site) if is_covert else topics.arrivals(self._site)
            producer.produce(topic, arrival.alert_id, encode(arrival))
        self._flush(producer)

    def _flush(self, producer: KafkaProducer) -> None:
        while producer.flush(_FLUSH_SECONDS):
            self.health.heartbeat()
            if self._stop.is_set():
                raise StoppedError

    def _why_not_ready(self) -> list[str]:
        """Return why arrivals are not met."""
        missing = [*self._rejections.why_not_ready(), *self._refusals.why_not_ready()]
        if not self._feed.caught_up():
            missing.append("not all topics have been read: vehicles may be expected that are not known here")
        return missing
