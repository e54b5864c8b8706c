"""How long a site goes unmatched when a matcher crashes, and when a machine is lost.

    python -m benchmarks.failover [--crashes 10] [--patterns 100000] [--json]

A listed plate is read a hundred times a second while the matcher is killed. The figure is the longest time from
capture until a reader of the alerts topic has the alert: the longest that an officer would have waited.
"""

import csv
import json
import tempfile
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from statistics import median

import click

from anpr.contracts import topics
from anpr.contracts.events import Alert, Read, decode_alert_record, encode
from anpr.contracts.plates import canonical_pattern
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.tail import KafkaTail
from anpr.local.demo import Demo
from anpr.local.processes import wait_until
from anpr.local.supervisor import QUICK_EXIT_SECONDS
from anpr.matching.lookup.patterns import fits
from anpr.runtime.clock import system_clock
from benchmarks.missing import few
from benchmarks.options import COUNT, NONE_OR_MORE
from benchmarks.plates import patterns

SITE = "calais"
PLATE = "AB12CDE"
WATCHLIST = Path("config/example_watchlist.csv")
CAMERAS = 60  # many, so that every partition has some of them
READ_EVERY_SECONDS = 0.01
# Longer than what the supervisor takes for a quick exit: after several of those in a row it starts a matcher later.
WATCH_SECONDS = QUICK_EXIT_SECONDS + 1
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
                plate=PLATE,
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


def write_list(path: Path, pattern_count: int) -> None:
    """Write the example list with so many patterns in addition. None of them fits the plate that is read."""
    with WATCHLIST.open(newline="", encoding="utf-8") as file:
        entries = list(csv.DictReader(file))
    texts = [text for text in patterns(pattern_count, Random(7)) if not fits(canonical_pattern(text), PLATE)]
    seen = entries[0] | {"reason": "A witness saw a part of the plate"}
    entries += [seen | {"entry_id": f"P-{number}", "plate": text, "country": ""} for number, text in enumerate(texts)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(seen))
        writer.writeheader()
        writer.writerows(entries)


def measured(watchlist: Path, crashes: int) -> tuple[float, list[float], float]:
    """Return the worst seconds of an undisturbed time, of each crash, and of the loss of a machine."""
    with Demo(Path("config"), watchlist, partial(click.echo, err=True)) as demo:
        demo.start_matchers(demo.open_feed())
        road = Road(demo)
        road.send_until(LEAST_READS)  # the first reads wait for connections
        quiet = road.worst_seconds(since=LEAST_READS)
        worst = [crash(demo, road) for _ in range(crashes)]
        lost = lose_machine(demo, road)
        road.end()
    return quiet, worst, lost


@click.command()
@click.option("--crashes", type=COUNT, default=10, show_default=True)
@click.option(
    "--patterns", "pattern_count", type=NONE_OR_MORE, default=0, show_default=True, help="Patterns to list."
)
@click.option("--json", "as_json", is_flag=True)
def main(crashes: int, pattern_count: int, *, as_json: bool) -> None:
    """Measure both and print seconds."""
    with tempfile.TemporaryDirectory() as folder:
        watchlist = Path(folder) / "watchlist.csv"
        write_list(watchlist, pattern_count)
        quiet, worst, lost = measured(watchlist, crashes)
    figures = {
        "undisturbed_worst_seconds": round(quiet, 3),
        "crash_worst_seconds": {"median": round(median(worst), 3), "max": round(max(worst), 3), "runs": crashes},
        "machine_lost_worst_seconds": round(lost, 3),
    }
    print(json.dumps(figures, indent=None if as_json else 2))


if __name__ == "__main__":
    main()
