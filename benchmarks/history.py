"""What a sighting costs on disk, how many reads a second history stores while it is asked, and how fast it answers.

    python -m benchmarks.history [--sightings 100000] [--days 3] [--look-ups 200] [--store sqlite|postgresql]
        [--crashes 5] [--json]

The reads are those of the simulators. They go through the recorder in batches, as from a topic, while a thread looks
vehicles up without a pause. A PostgreSQL is started from a wheel's binaries. Restarting is opening the store and
asking it where to read on. With `--crashes`, a service on a real Kafka is killed as often: see
`benchmarks.history_crashes`. `benchmarks.vehicle_search` measures look-ups alone.
"""

import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import click
from sqlalchemy import create_engine, text

from anpr.board.rates import percentile
from anpr.history.api.answering import Answering
from anpr.history.recorder import BATCH_RECORDS, Recorder
from anpr.history.sighting import sightings_of
from benchmarks.history_crashes import caught_up_seconds
from benchmarks.options import COUNT, NONE_OR_MORE
from benchmarks.stored_reads import SITE, STORES, Topic, opened, plates_of, server_of, simulated_lines
from benchmarks.vehicle_search import answering, search_ms


@contextmanager
def looking_up(search: Answering, plates: list[str]) -> Iterator[list[float]]:
    """Look plates up in a thread while the context lasts. The list holds how long each took, in milliseconds."""
    stop, times = threading.Event(), list[float]()

    def look_up() -> None:
        while not stop.is_set():
            times.append(search_ms(search, random.choice(plates)).milliseconds)

    thread = threading.Thread(target=look_up)
    thread.start()
    try:
        yield times
    finally:
        stop.set()
        thread.join()


def stored_bytes(folder: Path, url: str) -> int:
    """Return the bytes on disk of all sightings and their indexes."""
    if not url:
        return sum(file.stat().st_size for file in (folder / STORES / "sightings").glob("*.sqlite"))
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:", 1))
    query = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
    with engine.connect() as connection:
        names = f"nspname = 'history-{STORES}-sightings' AND relkind = 'r'"
        size = connection.execute(text(f"{query} WHERE {names}")).scalar_one()
    engine.dispose()
    return int(size)


def measure(count: int, days: int, look_ups: int, folder: Path, url: str) -> dict[str, float | str]:
    """Store the sightings, and return what that cost."""
    lines = simulated_lines(folder)
    plates = plates_of(lines)
    topic = Topic(lines, count, days)
    with opened(folder, url) as stores, answering(stores, folder) as search:
        recorder = Recorder(topic, stores.sightings, partial(sightings_of, SITE))
        recorder.run_once(0)
        with looking_up(search, plates) as meanwhile_ms:
            started_at = time.perf_counter()
            while topic.lag():
                recorder.run_once(0)
            seconds = time.perf_counter() - started_at
        times = [search_ms(search, random.choice(plates)).milliseconds for _ in range(look_ups)]
    started_at = time.perf_counter()
    with opened(folder, url) as stores:
        stores.sightings.next_offsets()
        restart_ms = (time.perf_counter() - started_at) * 1000
        stored = stores.sightings.count()
    return {
        "store": "postgresql" if url else "sqlite",
        "sightings": stored,
        "reads_a_second": round((count - BATCH_RECORDS) / seconds),
        "bytes_a_sighting": round(stored_bytes(folder, url) / stored),
        "look_ups_meanwhile": len(meanwhile_ms),
        "look_up_p50_ms": round(percentile(times, 0.5) or 0, 1),
        "look_up_p99_ms": round(percentile(times, 0.99) or 0, 1),
        "restart_ms": round(restart_ms, 1),
    }


@click.command()
@click.option("--sightings", type=click.IntRange(min=2 * BATCH_RECORDS), default=100_000, show_default=True)
@click.option("--days", type=COUNT, default=3, show_default=True, help="Over how many days they arrived.")
@click.option("--look-ups", type=COUNT, default=200, show_default=True)
@click.option("--store", "kind", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--crashes", type=NONE_OR_MORE, default=0, show_default=True, help="How often a service is killed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(  # noqa: PLR0913  one for each option
    sightings: int, days: int, look_ups: int, kind: str, crashes: int, *, as_json: bool
) -> None:
    """Measure a history store."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="anpr-history-")))
        url = stack.enter_context(server_of(kind))
        measured = measure(sightings, days, look_ups, folder, url)
        if crashes:
            seconds = caught_up_seconds(crashes, folder, url)
            measured |= {
                "kills": crashes,
                "kill_to_caught_up_median_s": round(median(seconds), 2),
                "kill_to_caught_up_max_s": round(max(seconds), 2),
            }
    if as_json:
        print(json.dumps(measured))
    else:
        for name, value in measured.items():
            print(f"{name:27} {value}")


if __name__ == "__main__":
    main()
