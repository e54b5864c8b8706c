"""How long a read takes to become an alert, beside how long the same read takes to reach any reader at all.

    python -m benchmarks.latency [--seconds 10] [--json]

Every read is of a listed plate, the worst case. One reader follows the reads topic and one the alerts topic, in one
process and with one clock. The first figure is the time that Kafka alone takes from capture to a reader. The second
adds the matcher and a second pass through Kafka. So their ratio is what the matcher costs, on any machine.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click
import msgspec

from anpr.board.rates import percentile
from anpr.contracts import topics
from anpr.contracts.events import Alert, Read, decode_alert_record, encode
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.tail import KafkaTail
from anpr.local.demo import Demo
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from benchmarks.missing import few
from benchmarks.options import AMOUNT

SITE = "calais"
RATES = (5, 200, 1000)
CAMERAS = 12
_decode_read = msgspec.json.Decoder(Read).decode


class Clocked:
    """A reader of a topic that notes when it first saw each read."""

    def __init__(self, demo: Demo, topic: str, read_of: Callable[[bytes], Read]) -> None:
        self.seconds: dict[str, float] = {}
        self._tail = KafkaTail(demo.kafka, [topic])
        self._read_of = read_of
        self._stop = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._stop.is_set():
            for record in self._tail.poll(0.1):
                read = self._read_of(record.value or b"")
                if read.captured_at is not None:
                    took = (system_clock() - read.captured_at).total_seconds()
                    self.seconds.setdefault(read.read_id, took)


def read_of_alert(value: bytes) -> Read:
    """Return the read in an alert."""
    alert = decode_alert_record(value)
    if not isinstance(alert, Alert):
        raise TypeError("this traffic has no corrections")
    return alert.read


def send(producer: KafkaProducer, rate: int, seconds: float) -> list[str]:
    """Send reads at an even pace and return their ids."""
    ids = [f"{rate}-{number}" for number in range(max(1, round(rate * seconds)))]
    began = time.monotonic()
    for number, read_id in enumerate(ids):
        while (ahead := began + number / rate - time.monotonic()) > 0:
            producer.flush(0)
            time.sleep(min(ahead, 0.01))
        camera = f"camera-{number % CAMERAS}"
        read = Read(read_id=read_id, site=SITE, plate="AB12CDE", camera=camera, captured_at=system_clock())
        producer.produce(topics.reads(SITE), camera, encode(read))
    return ids


def missing(ids: list[str], readers: Sequence[Clocked]) -> list[str]:
    """Return the reads that some reader has not seen."""
    return [read_id for read_id in ids if any(read_id not in reader.seconds for reader in readers)]


def wait_for(ids: list[str], *readers: Clocked) -> None:
    """Wait until every reader has seen every read."""
    if not wait_until(lambda: not missing(ids, readers), 120):
        raise SystemExit(few("reads or their alerts are missing", missing(ids, readers)))


@click.command()
@click.option("--seconds", type=AMOUNT, default=10.0, show_default=True, help="How long each rate lasts.")
@click.option("--json", "as_json", is_flag=True)
def main(seconds: float, *, as_json: bool) -> None:
    """Measure at several rates and print milliseconds from capture."""
    figures = []
    with Demo(Path("config"), Path("config/example_watchlist.csv"), partial(click.echo, err=True)) as demo:
        demo.start_matchers(demo.open_feed())
        reads = Clocked(demo, topics.reads(SITE), _decode_read)
        alerts = Clocked(demo, topics.alerts(SITE), read_of_alert)
        producer = KafkaProducer(demo.kafka)
        wait_for(send(producer, 50, 2), reads, alerts)  # opens the connections and warms the code
        for rate in RATES:
            ids = send(producer, rate, seconds)
            wait_for(ids, reads, alerts)
            row: dict[str, float] = {"reads_per_second": rate}
            for name, share in (("p50", 0.5), ("p99", 0.99)):
                to_reader, to_alert = (
                    (percentile([clocked.seconds[read_id] for read_id in ids], share) or 0) * 1000
                    for clocked in (reads, alerts)
                )
                row |= {f"read_{name}_ms": round(to_reader, 1), f"alert_{name}_ms": round(to_alert, 1)}
                row[f"{name}_ratio"] = round(to_alert / max(to_reader, 1), 1)
            figures.append(row)
    for row in figures:
        print(json.dumps(row) if as_json else "   ".join(f"{name} {value:g}" for name, value in row.items()))


if __name__ == "__main__":
    main()
