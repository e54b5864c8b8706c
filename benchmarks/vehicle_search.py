"""How fast a site's history finds a vehicle, by how many sightings it holds.

    python -m benchmarks.vehicle_search [--sightings 20000 --sightings 100000] [--days 30] [--look-ups 200]
                                        [--store sqlite|postgresql] [--json]

The reads are those of the simulators, of as many vehicles as come each a few times, over the days. One read in a
thousand has an alert, so that alerts are asked for too. The store grows from one size to the next; at each size,
vehicles are looked up one after the other, whole plates over all days by a person with the covert permission, partial
plates over the newest seven days. A look-up is all that the service does between HTTP's request and its response:
search, misreads, scores, alerts, the audit record on the disk, the answer as JSON. `cpu` is the processor time of
this process, which other work on the machine does not change much; `load` says how much other work there is. A search
without any answer would be fast and worthless: `found` is the mean number of sightings.

Cameras also read parts of plates. Those of fewer than four characters are like very many others. They are measured
apart, as `short`.
"""

import json
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from os import getloadavg
from pathlib import Path
from statistics import fmean
from typing import Final, NamedTuple

import click
import msgspec

from anpr.audit.chain import AuditChain
from anpr.board.rates import percentile
from anpr.contracts.events import NO_GENERATION, Alert, Entry, encode
from anpr.contracts.look_up import PARTIAL_PERIOD
from anpr.contracts.plates import canonical
from anpr.contracts.sightings_api import SightingsRequest
from anpr.contracts.site_topics import SiteTopic
from anpr.history.api.answering import Answering
from anpr.history.api.rate_limits import RateLimits
from anpr.history.fact import facts_of
from anpr.history.look_up import HistoryLookUp
from anpr.history.recorder import Recorder
from anpr.history.retention import KeptStores
from anpr.history.sighting import Sighting, Source, sightings_of
from anpr.kafka.interfaces import Record
from anpr.runtime.clock import system_clock
from anpr.runtime.garbage import collect_garbage_rarely
from benchmarks.alerts import exact_alert
from benchmarks.options import COUNT
from benchmarks.stored_reads import SITE, Topic, opened, plates_of, server_of, simulated_lines

READS_AN_ALERT: Final = 1000
# A beginning, an end, a middle, and what nearly every key could begin with.
PARTIAL_PLATES: Final = ("AB1?*", "*CDE", "*12C*", "A?1*E*")
PARTIAL_TIMES = 3
LEAST_CHARACTERS = 4
SHORT_TIMES = 10


class Searched(NamedTuple):
    """How long a look-up took, how much processor time, and how many sightings it found."""

    milliseconds: float
    cpu_ms: float
    found: int


@contextmanager
def answering(stores: KeptStores, folder: Path) -> Iterator[Answering]:
    """Yield what answers look-ups, as in the service; its audit chain is in the folder. Nobody asks too often."""
    with closing(AuditChain(folder / "audit", SITE, "history", system_clock)) as audit:
        yield Answering(SITE, HistoryLookUp(SITE, stores), audit, RateLimits(10**9, 10**9))


def search_ms(answering: Answering, plate: str, days: float = 365) -> Searched:
    """Look a plate up over the newest days."""
    now = datetime.now(UTC)
    request = SightingsRequest(
        plate=plate,
        since=now - timedelta(days=days),
        until=now,
        reason="benchmark",
        user="benchmark",
        role="officer",
        asking_site=SITE,
        covert=True,
    )
    started_at, cpu_at = time.perf_counter(), time.process_time()
    answer = answering.answer(SITE, request)
    msgspec.json.encode(answer)
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
            store.add(day, facts_of(SiteTopic(SITE, "alerts"), records, "alerts"), {Source("alerts", 0): 0})


def _alert(sighting: Sighting) -> Alert:
    read = sighting.read
    entry = Entry(
        entry_id="1", revision=NO_GENERATION, list="stolen", plate=read.plate, valid_until=sighting.arrived_at
    )
    return exact_alert(read, entry, sighting.arrived_at)


def measure(sizes: Sequence[int], days: int, look_ups: int, folder: Path, url: str) -> Iterator[dict[str, object]]:
    """Yield the figures of each size."""
    lines = simulated_lines(folder)
    plates = plates_of(lines)
    topic = Topic(lines, max(sizes), days)
    with opened(folder, url) as stores, answering(stores, folder) as search:
        recorder = Recorder(topic, AlertingStore(stores), partial(sightings_of, SITE))
        for size in sorted(sizes):
            while topic.lag() > max(sizes) - size:
                recorder.run_once(0)
            while stores.sightings.note_held_keys(datetime.now(UTC).date()):  # as the service does
                pass
            yield figures(search, plates, look_ups) | {"sightings": stores.sightings.count()}


def figures(search: Answering, plates: Sequence[str], look_ups: int) -> dict[str, object]:
    """Look vehicles up, and return how long it took."""
    chosen = random.Random(7)
    whole_plates = [plate for plate in plates if len(canonical(plate)) >= LEAST_CHARACTERS]
    short_plates = sorted({plate for plate in plates if 0 < len(canonical(plate)) < LEAST_CHARACTERS})
    for plate in chosen.sample(whole_plates, 20):  # opens the files
        search_ms(search, plate)
    collect_garbage_rarely()  # as the service does
    whole = [search_ms(search, chosen.choice(whole_plates)) for _ in range(look_ups)]
    found: dict[str, object] = {
        "load": round(getloadavg()[0], 1),
        "found": round(fmean(each.found for each in whole), 1),
    }
    for name, times in (("ms", [each.milliseconds for each in whole]), ("cpu_ms", [each.cpu_ms for each in whole])):
        found |= {f"p{share}_{name}": round(percentile(times, share / 100) or 0, 1) for share in (50, 99)}
    short = [search_ms(search, plate) for plate in chosen.sample(short_plates, min(SHORT_TIMES, len(short_plates)))]
    found |= {"short_max_cpu_ms": round(max((each.cpu_ms for each in short), default=0))}
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
