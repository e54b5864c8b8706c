"""Where the processor time of a matcher goes, stage by stage, by the size of its batches and of its list.

    python -m benchmarks stages [--batch 1 --batch 500] [--reads 200000] [--rounds 3] [--json]

The matcher of `anpr match` reads simulated reads from a real broker, about four in 1,000 of them listed, with a
stopwatch around each of its parts. At a port's pace a read comes alone, and a batch has one; after a stop the batches
are full. Each list and batch runs in a process of its own, one after the other in each round. A run must raise an
alert for each listed read. It counts the matcher's own thread; `throughput` counts also those of its Kafka client.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import click
import msgspec

from anpr.contracts import topics
from anpr.contracts.events import Tolerance
from anpr.local.kafka_server import KafkaServer
from benchmarks.loops.cost import Work
from benchmarks.loops.staged import STAGES, StageCosts
from benchmarks.options import COUNT
from benchmarks.ratios import interval
from benchmarks.stored_reads import SITE, simulated_lines
from benchmarks.throughput import LISTED_EVERY, Traffic, fill, label_of, write_index

# A run has so many turns, or all reads of the topic. It warms up with so many turns, and at least so many reads.
TURNS: Final = 5000
WARM_UP_TURNS: Final = 20
WARM_UP_READS: Final = 1000
# A short list is matched with tolerance, a long one also by near misreads: the least and the most work.
_TOLERANT: Final = 10_000


class Case(NamedTuple):
    """A list and a size of batch."""

    entries: int
    batch: int

    @property
    def tolerance(self) -> Tolerance:
        """How the entries are matched."""
        return "tolerant" if self.entries <= _TOLERANT else "near"

    @property
    def folder(self) -> str:
        """The name of the folder with its index."""
        return f"{label_of(self.entries)}-{self.tolerance}"

    @property
    def warm_up_turns(self) -> int:
        """How many turns are not measured."""
        return max(WARM_UP_TURNS, WARM_UP_READS // self.batch)

    def reads(self, most: int) -> int:
        """Return how many reads are measured: enough turns, but no more than the topic has after the warm-up."""
        return min(self.batch * TURNS, most - self.batch * (self.warm_up_turns + 1))


def run(case: Case, folder: Path, plates: Path, kafka: str, reads: int) -> StageCosts:
    """Run one case. Raises SystemExit where it fails, or where a listed read has raised no alert."""
    work = Work(kafka, topics.reads(SITE), topics.alerts(SITE), case.reads(reads))
    arguments = [msgspec.json.encode(work).decode(), str(folder / case.folder), str(plates)]
    arguments += [str(case.batch), str(case.warm_up_turns)]
    command = [sys.executable, "-m", "benchmarks.loops.staged", *arguments]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE)  # noqa: S603  this program
    if done.returncode:
        raise SystemExit(f"the matcher has failed: {case}")
    costs = msgspec.json.decode(done.stdout, type=StageCosts)
    if costs.alerts < costs.listed:
        raise SystemExit(f"{case}: {costs.alerts} alerts for {costs.listed} listed reads")
    return costs


def row(case: Case, costs: Sequence[StageCosts], compared: Sequence[StageCosts]) -> dict[str, object]:
    """Return the medians of the rounds, and how many times as much a read costs as in the compared case."""
    ratios = [total(own) / total(other) for own, other in zip(costs, compared, strict=True)]
    return {
        "entries": case.entries,
        "tolerance": case.tolerance,
        "batch": case.batch,
        "cpu_us": round(median(map(total, costs)), 2),
        "stages_us": {stage: round(median(of.stages_us[stage] for of in costs), 3) for stage in STAGES},
        "times_largest_batch": {name: round(of, 2) for name, of in interval(ratios)._asdict().items()},
        "reads": costs[0].reads,
        "reads_a_turn": round(median(of.reads / of.turns for of in costs), 1),
    }


def total(costs: StageCosts) -> float:
    """Return the microseconds a read of all stages."""
    return sum(costs.stages_us.values())


def show(rows: Sequence[dict[str, object]]) -> None:
    """Print the table."""
    print(f"{'entries':>10}{'batch':>7}{'CPU µs':>9}  " + "".join(f"{stage:>9}" for stage in STAGES))
    for of in rows:
        stages = of["stages_us"]
        cells = "".join(f"{us:>9.2f}" for us in stages.values()) if isinstance(stages, dict) else ""
        print(f"{of['entries']:>10,}{of['batch']:>7,}{of['cpu_us']:>9}  {cells}")


@click.command()
@click.option("--entries", "sizes", type=COUNT, multiple=True, default=(10_000, 1_000_000), show_default=True)
@click.option("--batch", "batches", type=COUNT, multiple=True, default=(1, 20, 500, 2000), show_default=True)
@click.option("--reads", type=click.IntRange(min=LISTED_EVERY), default=200_000, show_default=True)
@click.option("--rounds", type=COUNT, default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(sizes: Sequence[int], batches: Sequence[int], reads: int, rounds: int, *, as_json: bool) -> None:
    """Run every case in each round and print the medians."""
    cases = [Case(size, batch) for size in sizes for batch in batches]
    if any(case.reads(reads) < case.batch for case in cases):
        raise click.UsageError(f"{reads} reads are too few for batches of {max(batches)}")
    with tempfile.TemporaryDirectory(prefix="anpr-stages-") as name, KafkaServer(Path(name) / "kafka") as broker:
        folder, plates = Path(name), Path(name) / "plates.json"
        traffic = Traffic(simulated_lines(folder), reads)
        plates.write_text(json.dumps(sorted(traffic.listed_plates)), encoding="utf-8")
        for case in {case.folder: case for case in cases}.values():
            write_index(folder / case.folder, traffic.list_of(case.entries), case.tolerance)
        fill(broker.bootstrap, traffic)
        costs: dict[Case, list[StageCosts]] = {case: [] for case in cases}
        for number in range(rounds):
            for case in cases:
                costs[case].append(run(case, folder, plates, broker.bootstrap, reads))
            click.echo(f"round {number + 1} of {rounds} is done", err=True)
    rows = [row(case, costs[case], costs[case._replace(batch=max(batches))]) for case in cases]
    if as_json:
        print(json.dumps({"reads": reads, "rounds": rounds, "rows": rows}))
    else:
        show(rows)


if __name__ == "__main__":
    main()
