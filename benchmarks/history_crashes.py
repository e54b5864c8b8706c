"""How long after `kill -9` a history service has caught up, on a real Kafka. A part of `benchmarks.history`.

Reads come a hundred times a second while the service is killed and its supervisor starts it again. It has caught up
when its store holds every read that was sent until a tenth of a second before.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient

from anpr.contracts import topics
from anpr.history.sighting_store import SightingStore
from anpr.history.stores import open_sightings
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.topic_admin import create_topics, specs_by_address
from anpr.local.kafka_server import KafkaServer
from anpr.local.processes import wait_until
from anpr.local.supervisor import Supervisor
from anpr.runtime.clock import system_clock
from anpr.runtime.settings_files import load_settings

SITE = "calais"
CAMERAS = 60  # many, so that every partition has some of them
READ_EVERY_SECONDS = 0.01
LATEST_SECONDS = 0.1
# So many reads come after each kill, before the service can have caught up.
LEAST_READS = 50
LONGEST_SECONDS = 300


class Road:
    """Reads without end, and when each was sent."""

    def __init__(self, kafka: str) -> None:
        self.sent_at: list[float] = []
        self._producer = KafkaProducer(kafka)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def sent_until(self, moment: float) -> int:
        """Return how many reads had been sent by then."""
        count = len(self.sent_at)
        while count and self.sent_at[count - 1] > moment:
            count -= 1
        return count

    def end(self) -> None:
        """Stop sending."""
        self._stop.set()
        self._thread.join()

    def _send(self) -> None:
        while not self._stop.wait(READ_EVERY_SECONDS):
            number = len(self.sent_at)
            read = {"read_id": str(number), "site": SITE, "plate": f"AB{number % 100:02}CDE"}
            read |= {"camera": f"camera-{number % CAMERAS}", "captured_at": system_clock().isoformat()}
            self._producer.produce(topics.reads(SITE), read["camera"], json.dumps(read).encode())
            self._producer.flush(0)
            self.sent_at.append(time.monotonic())


@contextmanager
def running(folder: Path, url: str) -> Iterator[tuple[Supervisor, Road, SightingStore]]:
    """Start a broker, a history service, and reads. The store is only read."""
    with KafkaServer(folder / "kafka") as kafka:
        changed = {"KAFKA_BOOTSTRAP": kafka.bootstrap, "ANPR_HISTORY__URL": url}
        changed["ANPR_HISTORY__FOLDER"] = str(folder / "crashes")
        settings = load_settings(Path("config"), {**os.environ, **changed})
        for address, specs in specs_by_address(settings).items():
            create_topics(AdminClient({"bootstrap.servers": address}), specs)
        open_sightings(settings, SITE).close()
        supervisor = Supervisor()
        road = Road(kafka.bootstrap)
        try:
            command = [sys.executable, "-m", "anpr", "history", "--site", SITE]
            supervisor.add("history", command, log=folder / "history.log", env=changed)
            with closing(open_sightings(settings, SITE, is_writer=False)) as store:
                yield supervisor, road, store
        finally:
            road.end()
            supervisor.stop()


def wait_until_caught_up(road: Road, store: SightingStore, least: int) -> None:
    """Wait until the store holds at least so many reads, and all but the latest."""

    def has_caught_up() -> bool:
        wanted = max(least, road.sent_until(time.monotonic() - LATEST_SECONDS))
        return store.count() >= wanted

    if not wait_until(has_caught_up, LONGEST_SECONDS):
        raise SystemExit(f"history has not caught up after {LONGEST_SECONDS} s: {store.count()} reads are stored")


def caught_up_seconds(crashes: int, folder: Path, url: str) -> list[float]:
    """Kill the service so often, and return how long each time it took until it had caught up."""
    seconds = []
    with running(folder, url) as (supervisor, road, store):
        wait_until_caught_up(road, store, LEAST_READS)
        for _ in range(crashes):
            killed_at = time.monotonic()
            supervisor.kill("history")
            wait_until_caught_up(road, store, len(road.sent_at) + LEAST_READS)
            seconds.append(time.monotonic() - killed_at)
    return seconds
