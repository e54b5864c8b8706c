"""Publishes reads to Kafka, each to the reads topic of its own site."""

import logging
import math
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from anpr.contracts import topics
from simulators.stop_request import StopRequest
from simulators.traffic import Sighting

_log = logging.getLogger(__name__)

# How long the last records may take to be acknowledged at the end of a run.
_FLUSH_TIMEOUT_S: Final = 30.0
_FIND_TIMEOUT_S: Final = 5.0
# A client without its broker reports some ten errors a second. One warning in this time is enough.
_BETWEEN_WARNINGS_S: Final = 5.0


class KafkaSink:
    """Sends records to the brokers of their sites, and counts those that were not acknowledged."""

    def __init__(self, bootstraps: Mapping[str, str], stop: StopRequest) -> None:
        """Connect in the background to each site's brokers. They may be away for two minutes without loss.

        After `stop` no record waits for room in a full buffer.
        """
        self.failed = 0
        self._warned_s = -math.inf
        self._stop = stop
        producers = {bootstrap: self._producer(bootstrap) for bootstrap in sorted(set(bootstraps.values()))}
        self._producers = list(producers.values())
        self._by_site = {site: producers[bootstrap] for site, bootstrap in bootstraps.items()}
        self._find_topics()

    def send(self, sighting: Sighting, _: datetime, value: bytes) -> None:
        """See `Sink`."""
        self.publish(sighting.read.site, topics.reads(sighting.read.site), sighting.read.camera, value)

    def publish(self, site: str, topic: str, key: str, value: bytes) -> None:
        """Hand a record of a site over. If the producer's buffer is full, wait until the broker has accepted some."""
        producer = self._by_site[site]
        while True:
            try:
                producer.produce(topic, value, key=key, on_delivery=self._delivered)
            except BufferError:
                if self._stop.is_requested:
                    self._count("the buffer was still full when the run was stopped")
                    return
                producer.poll(0.1)
            except KafkaException as error:
                self._count(str(error))
                return
            else:
                producer.poll(0)
                return

    def idle(self) -> None:
        """Handle the clients' delivery reports."""
        for producer in self._producers:
            producer.poll(0)

    def close(self) -> None:
        """Wait until all records are acknowledged. Those that are not in time count as failed."""
        for producer in self._producers:
            if left := producer.flush(_FLUSH_TIMEOUT_S):
                _log.error("%d reads were not acknowledged within %g s", left, _FLUSH_TIMEOUT_S)
                self.failed += left

    def _find_topics(self) -> None:
        """Ask for the topics' metadata now, so that the first reads need not wait for it."""
        for site, producer in self._by_site.items():
            try:
                producer.list_topics(topics.reads(site), _FIND_TIMEOUT_S)
            except KafkaException as error:
                _log.warning("%s: %s; the reads wait until the broker answers", site, error.args[0])
                return

    def _producer(self, bootstrap: str) -> Producer:
        return Producer(
            {
                "bootstrap.servers": bootstrap,
                "client.id": "anpr-simulators",
                "acks": "all",
                "enable.idempotence": True,
                # docs/adr/0002: with more, a first batch may be lost without an error.
                "max.in.flight.requests.per.connection": 1,
                "linger.ms": 2,
                "delivery.timeout.ms": 120_000,
                "reconnect.backoff.max.ms": 250,
                "log_level": 0,  # error_cb gets what it would log
                "error_cb": self._warn,
            }
        )

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._count(f"{message.topic()}: {error}")

    def _count(self, reason: str) -> None:
        # One line for the first failure, so that a dead broker does not flood the terminal. The sum comes at the end.
        if not self.failed:
            _log.error("a read was not delivered: %s", reason)
        self.failed += 1

    def _warn(self, error: KafkaError) -> None:
        now_s = time.monotonic()
        if now_s - self._warned_s >= _BETWEEN_WARNINGS_S:
            self._warned_s = now_s
            _log.warning("kafka: %s", error.str())
