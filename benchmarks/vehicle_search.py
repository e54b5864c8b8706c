"""How fast a site's history finds a vehicle, by how many sightings it holds.

    python -m benchmarks.vehicle_search [--sightings 20000 --sightings 100000] [--days 30] [--look-ups 200]
                                        [--store sqlite|postgresql] [--json]

The reads are those of the simulators, of as many vehicles as come each a few times, over the days. One read in a
thousand has an alert, so that alerts are asked for too. The store grows from one size to the next; at each size,
vehicles are looked up one after the other, whole plates over all days by a person with the covert permission, partial
plates over the newest seven days. `cpu` is the processor time of this process, which other work on the machine does
not change much. A search without any answer would be fast and worthless: `found` is the mean number of sightings.
"""

import json
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import click

from anpr.board.rates import percentile
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import NO_GENERATION, Alert, Entry, Explanation, encode
from anpr.contracts.look_up import PARTIAL_PERIOD, LookUp
from anpr.history.fact import facts_of_alerts
from anpr.history.look_up import VehicleSearch
from anpr.history.recorder import Recorder
from anpr.history.retention import KeptStores
from anpr.history.sighting import Sighting, Source, sightings_of
from anpr.kafka.interfaces import Record
from benchmarks.options import COUNT
from benchmarks.stored_reads import SITE, Topic, opened, plates_of, server_of, simulated_lines

READS_AN_ALERT: Final = 1000
# A beginning, an end, a middle, and what nearly every key could begin with.
PARTIAL_PLATES: Final = ("AB1?*", "*CDE", "*12C*", "A?1*E*")
PARTIAL_TIMES = 3


class Searched(NamedTuple):
    """How long a look-up took, how much processor time, and how many sightings it found."""

    milliseconds: float
    cpu_ms: float
    found: int


def search_ms(search: VehicleSearch, plate: str, days: float = 365) -> Searched:
    """Look a plate up over the newest days."""
    now = datetime.now(UTC)
    look_up = LookUp(
        plate=plate,
        since=now - timedelta(days=days),
        until=now,
        reason="benchmark",
        user="benchmark",
        role="officer",
        asking_site=SITE,
    )
    started_at, cpu_at = time.perf_counter(), time.process_time()
    answer = search.find(look_up, covert=True)
    cpu_ms = (time.process_time() - cpu_at) * 1000
    return Searched((time.perf_counter() - started_at) * 1000, cpu_ms, len(answer.sightings))


class AlertingStore:
    """Keeps the sightings of a recorder, and an alert about some of them."""

    def __init__(self, stores: KeptStores) -> None:
        self._stores = stores

    def add(self, day: date, rows: Sequence[Sighting], offsets: Mapping[Source, int]) -> None:
        """Commit the sightings, then the alerts: half of them are covert."""
        self._stores.sightings.add(day, rows, offsets)
        alerted = rows[::READS_AN_ALERT]
        for store, some in ((self._stores.covert_facts, alerted[::2]), (self._stores.facts, alerted[1::2])):
            records = [Record("alerts", 0, each.offset, each.arrived_at, encode(_alert(each))) for each in some]
            store.add(day, facts_of_alerts(records, "alerts"), {Source("alerts", 0): 0})


def _alert(sighting: Sighting) -> Alert:
    read = sighting.read
    entry = Entry(
        entry_id="1", revision=NO_GENERATION, list="stolen", plate=read.plate, valid_until=sighting.arrived_at
    )
    explanation = Explanation(read_as=read.plate, listed_as=read.plate)
    return Alert(
        alert_id=alert_id(read.identity, entry.entry_id),
        kind="live",
        raised_at=sighting.arrived_at,
        read=read,
        plate=read.plate,
        tier="exact",
        score=0.9,
        explanation=explanation,
        entry=entry,
        generation=NO_GENERATION,
    )


def measure(sizes: Sequence[int], days: int, look_ups: int, folder: Path, url: str) -> Iterator[dict[str, object]]:
    """Yield the figures of each size."""
    lines = simulated_lines(folder)
    plates = plates_of(lines)
    topic = Topic(lines, max(sizes), days)
    with opened(folder, url) as stores:
        search = VehicleSearch(SITE, stores)
        recorder = Recorder(topic, AlertingStore(stores), partial(sightings_of, SITE))
        for size in sorted(sizes):
            while topic.lag() > max(sizes) - size:
                recorder.run_once(0)
            yield figures(search, plates, look_ups) | {"sightings": stores.sightings.count()}


def figures(search: VehicleSearch, plates: Sequence[str], look_ups: int) -> dict[str, object]:
    """Look vehicles up, and return how long it took."""
    chosen = random.Random(7)
    for plate in chosen.sample(plates, 20):  # opens the files
        search_ms(search, plate)
    whole = [search_ms(search, plate) for plate in islice(iter(lambda: chosen.choice(plates), None), look_ups)]
    found: dict[str, object] = {"found": round(sum(each.found for each in whole) / len(whole), 1)}
    for name, times in (("ms", [each.milliseconds for each in whole]), ("cpu_ms", [each.cpu_ms for each in whole])):
        found |= {f"p{share}_{name}": round(percentile(times, share / 100) or 0, 1) for share in (50, 99)}
    for plate in PARTIAL_PLATES:
        searched = [search_ms(search, plate, PARTIAL_PERIOD.days) for _ in range(PARTIAL_TIMES)]
        found |= {f"{plate} ms": round(min(searched).milliseconds), f"{plate} found": searched[0].found}
    return found


@click.command()
@click.option("--sightings", "sizes", type=COUNT, multiple=True, default=[20_000, 100_000], show_default=True)
@click.option("--days", type=COUNT, default=30, show_default=True, help="Over how many days the most arrived.")
@click.option("--look-ups", type=COUNT, default=200, show_default=True)
@click.option("--store", "kind", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each size.")
def main(sizes: tuple[int, ...], days: int, look_ups: int, kind: str, *, as_json: bool) -> None:
    """Measure look-ups by how many sightings a store holds."""
    with tempfile.TemporaryDirectory(prefix="anpr-search-") as folder, server_of(kind) as url:
        for measured in measure(sizes, days, look_ups, Path(folder), url):
            row = {"store": kind, "sightings": measured.pop("sightings"), **measured}
            print(json.dumps(row) if as_json else "  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
