"""How long a site goes unmatched when a matcher crashes, and when a machine is lost.

    python -m benchmarks.failover [--crashes 10] [--json]

A listed plate is read a hundred times a second while the matcher is killed. The figure is the longest time from
capture until a reader of the alerts topic has the alert: the longest that an officer would have waited.
"""

import json
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

import click

from anpr.contracts import topics
from anpr.contracts.events import Alert, Read, decode_alert_record, encode
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.tail import KafkaTail
from anpr.local.demo import Demo
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from benchmarks.missing import few
from benchmarks.options import COUNT

SITE = "calais"
CAMERAS = 60  # many, so that every partition has some of them
READ_EVERY_SECONDS = 0.01
WATCH_SECONDS = 4
# Each figure covers at least so many reads, some of every camera, however long a busy machine takes to send them.
LEAST_READS = 100


class Road:
    """Reads of a listed plate without end, and how long each took to become an alert."""

    def __init__(self, demo: Demo) -> None:
        self.sent = 0
        self.seconds: dict[str, float] = {}
        self._producer = KafkaProducer(demo.kafka)
        self._tail = KafkaTail(demo.kafka, [topics.alerts(SITE)])
        self._stop = threading.Event()
        for work in (self._send, self._receive):
            threading.Thread(target=work, daemon=True).start()

    def send_until(self, count: int) -> None:
        """Wait until so many reads have been sent."""
        if not wait_until(lambda: self.sent >= count, 120):
            raise SystemExit(f"only {self.sent} of {count} reads have been sent within two minutes")

    def worst_seconds(self, since: int) -> float:
        """Wait for the alerts of the reads from number `since` on; return the longest time from capture to alert."""
        self.send_until(since + LEAST_READS)
        numbers = [str(number) for number in range(since, self.sent)]
        if not wait_until(lambda: not self._missing(numbers), 120):
            raise SystemExit(few("alerts are missing of the reads", self._missing(numbers)))
        return max(self.seconds[number] for number in numbers)

    def _missing(self, numbers: Sequence[str]) -> list[str]:
        return [number for number in numbers if number not in self.seconds]

    def end(self) -> None:
        """Stop sending."""
        self._stop.set()

    def _send(self) -> None:
        while not self._stop.wait(READ_EVERY_SECONDS):
            read = Read(
                read_id=str(self.sent),
                site=SITE,
                plate="AB12CDE",
                camera=f"camera-{self.sent % CAMERAS}",
                captured_at=system_clock(),
            )
            self._producer.produce(topics.reads(SITE), read.camera, encode(read))
            self._producer.flush(0)
            self.sent += 1

    def _receive(self) -> None:
        while not self._stop.is_set():
            for record in self._tail.poll(0.05):
                alert = decode_alert_record(record.value or b"")
                if isinstance(alert, Alert):
                    seconds = (system_clock() - alert.captured_at).total_seconds()
                    self.seconds.setdefault(alert.read.read_id, seconds)


def crash(demo: Demo, road: Road) -> float:
    """Kill the matcher, let its supervisor restart it, and return the worst time to an alert."""
    since = road.sent
    demo.supervisor.kill(f"matcher-{SITE}-1")
    time.sleep(WATCH_SECONDS)
    return road.worst_seconds(since)


def lose_machine(demo: Demo, road: Road) -> float:
    """Let a second matcher take over some partitions, kill it for good, and return the worst time to an alert."""
    feed = demo.open_feed()
    demo.add_matcher(SITE, f"{SITE}-2", restart=False)

    def both_share() -> bool:
        feed.fold_new_records(0.1)
        matchers = next(health.matchers for health in feed.health(system_clock()) if health.site == SITE)
        return len(matchers) == 2 and all(status.partitions for status in matchers)

    if not wait_until(both_share, 60):
        raise SystemExit("the second matcher got no partitions")
    since = road.sent
    demo.supervisor.kill(f"matcher-{SITE}-2")
    time.sleep(WATCH_SECONDS + demo.settings.matcher.session_timeout_seconds)
    return road.worst_seconds(since)


@click.command()
@click.option("--crashes", type=COUNT, default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(crashes: int, *, as_json: bool) -> None:
    """Measure both and print seconds."""
    with Demo(Path("config"), Path("config/example_watchlist.csv"), partial(click.echo, err=True)) as demo:
        demo.start_matchers(demo.open_feed())
        road = Road(demo)
        road.send_until(LEAST_READS)  # the first reads wait for connections
        quiet = road.worst_seconds(since=LEAST_READS)
        worst = [crash(demo, road) for _ in range(crashes)]
        lost = lose_machine(demo, road)
        road.end()
    figures = {
        "undisturbed_worst_seconds": round(quiet, 3),
        "crash_worst_seconds": {"median": round(median(worst), 3), "max": round(max(worst), 3), "runs": crashes},
        "machine_lost_worst_seconds": round(lost, 3),
    }
    print(json.dumps(figures, indent=None if as_json else 2))


if __name__ == "__main__":
    main()
