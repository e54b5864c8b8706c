"""The matcher as a service on real servers: it restarts the matcher whenever the broker rejects a record."""

import threading

from anpr.contracts import topics
from anpr.contracts.local_days import LocalDays
from anpr.index_store.folder import IndexFolder
from anpr.index_store.follower import IndexFollower
from anpr.kafka.broker_errors import refused
from anpr.kafka.consumer import KafkaConsumer
from anpr.kafka.delivery_errors import RejectedError
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.rejections import RETRY_SECONDS, Rejections
from anpr.matcher.environment import Lifecycle, MatcherIdentity
from anpr.matcher.matcher import Matcher
from anpr.matcher.matcher_metrics import MatcherMetrics
from anpr.matching.compiling import compile_kernels
from anpr.runtime.clock import system_clock
from anpr.runtime.garbage import collect_garbage_rarely
from anpr.runtime.health import BROKER_ANSWER_SECONDS, Health
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings

log = get_logger(__name__)


class MatcherService:
    """One matcher process of a site. `health` says why it is not ready, from any thread."""

    def __init__(self, settings: Settings, identity: MatcherIdentity, stop: threading.Event) -> None:
        """Match until `stop` is set."""
        self.health = Health("match", self._why_not_ready)
        self._settings = settings
        self._identity = identity
        self._stop = stop
        self._site = settings.sites[identity.site]
        self._follower = IndexFollower(IndexFolder(settings.index_dir), f"anpr index --site {identity.site}")
        self._rejections = Rejections(f"the broker at {self._site.kafka} refuses this matcher")
        cameras = [camera.name for camera in self._site.cameras]
        self._metrics = MatcherMetrics(identity.site, cameras, system_clock())
        self._producer = KafkaProducer(self._site.kafka)

    def run(self) -> None:
        """Match until it is time to stop. Raises UnavailableError when another matcher has this matcher's name."""
        # Before the consumer joins its group: no read waits while kernels are loaded, or compiled.
        compile_kernels()
        self._follower.start()
        collect_garbage_rarely()
        log.info("matcher runs")
        try:
            while not self._stop.is_set():
                self._run_until_rejected()
                self._stop.wait(RETRY_SECONDS)
        finally:
            self._follower.stop()
        log.info("matcher stopped in order")

    def _run_until_rejected(self) -> None:
        try:
            self._run_matcher()
        except RejectedError as error:
            if error.code == "kafka-fenced" or self._stop.is_set():
                raise refused(f"the broker at {self._site.kafka} has ended this matcher", error) from None
            self._rejections.note(error)
            self._metrics.partitions = 0
            self._producer = KafkaProducer(self._site.kafka)

    def _run_matcher(self) -> None:
        """Match from the last committed offset until it is time to stop. Raises RejectedError."""
        consumer = KafkaConsumer(
            self._site.kafka,
            topics.reads(self._identity.site),
            f"anpr-match-{self._identity.site}",
            self._identity.name,
            memory_topic=topics.deadletters(self._identity.site),
            session_timeout_seconds=self._settings.matcher.session_timeout_seconds,
        )
        try:
            Matcher(
                self._identity,
                consumer=consumer,
                producer=self._producer,
                active_index=lambda: self._follower.active,
                settings=self._settings.matcher,
                days=LocalDays(self._settings.zones),
                metrics=self._metrics,
                lifecycle=Lifecycle(
                    is_stopping=self._stop.is_set, heartbeat=self.health.heartbeat, on_healthy=self._rejections.clear
                ),
            ).run()
        finally:
            consumer.close()

    def _why_not_ready(self) -> list[str]:
        """Return why this matcher is not ready."""
        if rejections := self._rejections.why_not_ready():
            return rejections
        missing = []
        if self._follower.active is None:
            missing.append(f"no list: there is no usable index in {self._settings.index_dir}; {self._index_hint()}")
        # From the last status: only the matcher's own thread may ask the consumer.
        if not self._metrics.partitions:
            missing.append("no partitions of the reads topic: this matcher is on standby")
        if problem := self._producer.problem(topics.alerts(self._identity.site), BROKER_ANSWER_SECONDS):
            missing.append(f"the broker at {self._site.kafka} {problem}")
        return missing

    def _index_hint(self) -> str:
        if self._follower.is_builder_running:
            return "check the log of `anpr index`"
        return f"start `anpr index --site {self._identity.site}`"
