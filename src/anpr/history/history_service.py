"""The history service: it keeps what a site read, and beside it the alerts and what officers did."""

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from typing import Protocol, Self

from anpr.contracts import topics
from anpr.contracts.site_topics import SiteTopic
from anpr.history.collection_audit import CollectionAudit
from anpr.history.erased_reads import ErasedReads
from anpr.history.erasure import UnlessErased
from anpr.history.fact import facts_of
from anpr.history.fact_store import FactStore
from anpr.history.followed_topic import FollowedTopic
from anpr.history.recorder import Recorder
from anpr.history.sighting import Sighting, sightings_of
from anpr.history.sighting_metrics import SightingMetrics
from anpr.history.sighting_store import SightingStore
from anpr.history.stores import open_all
from anpr.history.sweeper import ErasableAudit, Sweeper
from anpr.kafka.interfaces import Record
from anpr.kafka.offset_reader import OffsetReader
from anpr.runtime.cautious_clock import CautiousClock
from anpr.runtime.clock import Clock
from anpr.runtime.garbage import collect_garbage_rarely
from anpr.runtime.health import Health
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings

log = get_logger(__name__)

WAIT_SECONDS = 0.1


class LookUpServer(Protocol):
    """What answers look-ups while history runs: `api.sightings_server.SightingsServer`."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def why_not_ready(self) -> list[str]:
        """Return why look-ups are not answered."""
        ...


class HistoryService:
    """One history service of a site. `health` says why it is not ready, from any thread."""

    def __init__(
        self, settings: Settings, site: str, stop: threading.Event, clock: Clock, audit: ErasableAudit
    ) -> None:
        """Keep the history of the site until `stop` is set. `clock` says what has been kept for long enough.

        `audit` records what goes then, and how much is stored.

        Raises InputError for a store of another schema version, UnavailableError where it cannot be used.
        """
        self.health = Health("history", self._why_not_ready)
        self._site = site
        self._group = f"anpr-history-{site}"
        self._kafka = settings.sites[site].kafka
        self._stop = stop
        self.stores = stores = open_all(settings, site)
        self._collection = CollectionAudit(SightingMetrics(site), audit, clock)
        self._topics = [
            self._reads(stores.sightings, stores.erased),
            *self._alerts_and_actions(stores.facts, topics.alerts(site), topics.actions(site)),
            *self._alerts_and_actions(stores.covert_facts, topics.covert_alerts(site), topics.covert_actions(site)),
        ]
        self._sweeper = Sweeper(site, settings.retention, stores, audit, CautiousClock(clock))
        self._server: LookUpServer | None = None

    def serve(self, server: LookUpServer) -> None:
        """Let a server run while history runs, in threads of its own. It may use the `stores`."""
        self._server = server

    def run(self) -> None:
        """Keep what comes until it is time to stop."""
        collect_garbage_rarely()  # a full collection takes longer than a look-up
        log.info("history runs")
        with ExitStack() as closing:
            closing.callback(self.stores.close)
            closing.callback(self._collection.record)
            for topic in self._topics:
                closing.callback(topic.close)
            if self._server is not None:
                closing.enter_context(self._server)  # it ends before the stores are closed
            # A topic can wait some seconds for a broker that does not answer, so each has its own heartbeat.
            for topic in cycle(self._topics):
                if self._stop.is_set():
                    break
                self.health.heartbeat()
                if topic is self._topics[0]:
                    self._sweeper.run_once(is_settled=all(followed.has_caught_up for followed in self._topics))
                topic.run_once(WAIT_SECONDS if topic is self._topics[0] else 0)
        log.info("history stopped in order")

    def _reads(self, store: SightingStore, erased: ErasedReads) -> FollowedTopic:

        def kept(records: Sequence[Record], topic_id: str) -> list[Sighting]:
            return list(filter(erased.may_keep(), sightings_of(self._site, records, topic_id)))

        def recorder(reader: OffsetReader) -> Recorder[Sighting]:
            return Recorder(reader, UnlessErased(store, erased), kept, self._collection)

        return FollowedTopic(self._kafka, topics.reads(self._site), self._group, store.next_offsets, recorder)

    def _alerts_and_actions(self, store: FactStore, alerts: str, actions: str) -> list[FollowedTopic]:
        def followed(name: str, topic: SiteTopic) -> FollowedTopic:
            rows_of = partial(facts_of, topic)
            return FollowedTopic(
                self._kafka, name, self._group, store.next_offsets, lambda reader: Recorder(reader, store, rows_of)
            )

        return [
            followed(alerts, SiteTopic(self._site, "alerts")),
            followed(actions, SiteTopic(self._site, "actions")),
        ]

    def _why_not_ready(self) -> list[str]:
        """Return why something is not being stored, does not go, or is not answered."""
        problems = [problem for topic in self._topics for problem in topic.why_not_ready()]
        return [*problems, *self._sweeper.why_not_ready(), *(self._server.why_not_ready() if self._server else [])]
