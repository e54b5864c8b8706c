"""How long after a change of the list the alerts about what has passed come, and what that costs live reads.

    python -m benchmarks.listed_later [--sightings 100000] [--days 3] [--listed 10000] [--entries 1 --entries 1000]
        [--rate 200] [--seconds 5] [--rounds 3] [--json]

It runs a real Kafka, a real Valkey with a list, and the services of a port: the index builder, a matcher, the
back-check and a history that holds so many sightings. Each vehicle has passed twice. Entries for vehicles of the
last 72 hours are applied as one change. The time counts from the beginning of its commit until a reader of the
alerts topic has both alerts of each entry. Then an entry with a pattern is applied, for which the back-check goes
through all sightings, as for a list of a million. Reads are due at an even pace meanwhile, and in turns while
nothing is searched. An echo of the same reads says how much slower the whole machine is (`benchmarks.latency`).
`lasted` is the number of rounds in which the search went on until the last read.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from os import getloadavg
from statistics import median

import click
import msgspec

from anpr.back_check.progress_file import ProgressFile, progress_path
from anpr.contracts import topics
from anpr.contracts.events import NO_GENERATION, Alert, Entry, Undecodable, decode_alert_record
from anpr.history.stores import open_sightings
from anpr.kafka.tail import KafkaTail
from anpr.local.processes import wait_until
from anpr.runtime.settings_files import load_settings
from benchmarks.back_check import LARGEST, fill, show
from benchmarks.back_check import entries as entries_of
from benchmarks.commits import LIST
from benchmarks.latencies import compared
from benchmarks.latency import Port, Sent, opened
from benchmarks.missing import few
from benchmarks.options import AMOUNT, COUNT
from benchmarks.stored_reads import CONFIG, SITE

WINDOW_DAYS = 3
LONGEST_SECONDS = 300
# No vehicle has such a plate.
PATTERN = "ZZ0*{}Q"


class Alerts:
    """The alerts about what has passed, as a reader of the topic gets them."""

    def __init__(self, kafka: str) -> None:
        self._tail = KafkaTail(kafka, [topics.alerts(SITE)])
        self._seen_at: dict[tuple[str, str], float] = {}

    def seconds_until(self, entry_ids: Sequence[str], began: float, each: int) -> float:
        """Return how long after `began` the last of the alerts came of which each of these entries raises so many."""
        wanted = dict.fromkeys(entry_ids, each)
        while missing := self._missing(wanted):
            if time.time() > began + LONGEST_SECONDS:
                raise SystemExit(few("entries whose alerts are missing", missing))
            self._read()
        return max(at for (entry_id, _), at in self._seen_at.items() if entry_id in wanted) - began

    def _missing(self, wanted: dict[str, int]) -> list[str]:
        left = dict(wanted)
        for entry_id, _ in self._seen_at:
            if entry_id in left:
                left[entry_id] -= 1
        return [entry_id for entry_id, count in left.items() if count > 0]

    def _read(self) -> None:
        for record in self._tail.poll(0.1):
            try:
                alert = decode_alert_record(record.value or b"")
            except Undecodable:
                continue
            if isinstance(alert, Alert) and alert.kind == "retrospective":
                self._seen_at.setdefault((alert.entry.entry_id, alert.alert_id), time.time())


class PassedVehicles:
    """A history with vehicles that have passed, and the services that search it."""

    def __init__(self, port: Port, sightings: int, days: int) -> None:
        self._port = port
        self._settings = load_settings(CONFIG, port.services.environment)
        click.echo(f"storing {sightings:,} sightings", err=True)
        store = open_sightings(self._settings, SITE)
        fill(store, sightings, days)
        store.close()
        vehicles = sightings // 2
        # A tenth less than those of the last 72 hours: the run takes a while.
        recent = min(vehicles, round(vehicles * WINDOW_DAYS / days * 0.9))
        self._unlisted = random.sample(range(vehicles - recent, vehicles), recent)
        self._alerts = Alerts(port.kafka)
        self._patterns = 0
        port.services.start("history", "-m", "anpr", "history", "--site", SITE)
        port.services.start("back-check", "-m", "anpr", "back-check", "--site", SITE)
        self.wait_until_searched()

    def seconds_to_alerts(self, count: int, tolerance: str) -> float:
        """List so many vehicles that have passed. Return the seconds until both alerts of each were there."""
        listed = self._entries([self._unlisted.pop() for _ in range(count)], tolerance)
        began = self._port.changed.change(listed, []).began
        return self._alerts.seconds_until([entry.entry_id for entry in listed], began, each=2)

    def begin_search_of_all(self) -> None:
        """List a pattern, and return when the search for it has begun."""
        self._patterns += 1
        [entry] = self._entries([0], "tolerant")
        plate = PATTERN.format(self._patterns)
        pattern = msgspec.structs.replace(entry, entry_id=plate, plate=plate)
        self._port.changed.change([pattern], [])
        self._wait(self.is_searching, "a search begins")

    def is_searching(self) -> bool:
        """Tell whether the back-check has a search that goes on, or has not begun its first."""
        progress = ProgressFile(progress_path(self._settings, SITE)).load()
        return progress.checked == NO_GENERATION or bool(progress.searches)

    def wait_until_searched(self) -> None:
        """Return when all searches have ended."""
        self._wait(lambda: not self.is_searching(), "all searches end")

    def _entries(self, vehicles: Sequence[int], tolerance: str) -> list[Entry]:
        made = entries_of(vehicles, NO_GENERATION, tolerance)
        return [msgspec.structs.replace(entry, list=LIST) for entry in made]

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        if not wait_until(condition, LONGEST_SECONDS):
            raise SystemExit(f"not within {LONGEST_SECONDS} seconds: {what}")


def applied(vehicles: PassedVehicles, counts: Sequence[int], rounds: int) -> Iterator[dict[str, object]]:
    """Yield the seconds from a change to the last of its alerts, by tolerance and number of entries."""
    for tolerance in ("tolerant", "near"):
        for count in counts:
            seconds = []
            for _ in range(rounds):
                seconds.append(vehicles.seconds_to_alerts(count, tolerance))
                vehicles.wait_until_searched()
            yield {
                "entries": count,
                "tolerance": tolerance,
                "median_seconds": round(median(seconds), 2),
                "longest_seconds": round(max(seconds), 2),
                "load": round(getloadavg()[0], 1),
            }


def live(
    vehicles: PassedVehicles, port: Port, rate: float, seconds: float, rounds: int
) -> Iterator[dict[str, object]]:
    """Yield what live reads take, without a search and while one goes through everything."""
    sent: dict[bool, list[Sent]] = {False: [], True: []}
    lasted = 0
    for _ in range(rounds):
        sent[False].append(port.run(rate, seconds))
        vehicles.begin_search_of_all()
        sent[True].append(port.run(rate, seconds))
        lasted += vehicles.is_searching()
        vehicles.wait_until_searched()
    for is_beside, of_rounds in sent.items():
        yield {
            "reads_per_second": rate,
            "beside_a_search": is_beside,
            "lasted": lasted if is_beside else 0,
            **compared([of.round for of in of_rounds]),
            "load": round(getloadavg()[0], 1),
        }


@click.command()
@click.option("--sightings", type=click.IntRange(10_000, LARGEST), default=1_000_000, show_default=True)
@click.option("--days", type=COUNT, default=3, show_default=True, help="Over how many days they arrived.")
@click.option("--listed", type=COUNT, default=10_000, show_default=True, help="How many other entries are listed.")
@click.option("--entries", "counts", type=COUNT, multiple=True, default=(1, 1000), show_default=True)
@click.option("--rate", type=AMOUNT, default=200.0, show_default=True, help="Live reads a second.")
@click.option("--seconds", type=AMOUNT, default=5.0, show_default=True, help="How long live reads come in a round.")
@click.option("--rounds", type=COUNT, default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def main(  # noqa: PLR0913, PLR0917  one argument for each option
    sightings: int,
    days: int,
    listed: int,
    counts: Sequence[int],
    rate: float,
    seconds: float,
    rounds: int,
    *,
    as_json: bool,
) -> None:
    """Measure a back-check on real servers."""
    with opened(listed, is_beside=False) as port:
        vehicles = PassedVehicles(port, sightings, days)
        for row in chain(applied(vehicles, counts, rounds), live(vehicles, port, rate, seconds, rounds)):
            show({"sightings": sightings}, as_json, row)


if __name__ == "__main__":
    main()
