"""How much more several matchers do than one, and what more traffic would use up first.

    python -m benchmarks scale [--reads 800000] [--rounds 3] [--entries 1000000] [--json]

Matchers of one group share the reads of a topic: one, then twice as many, up to the cores of this machine, which the
broker shares with them. Only the time counts in which all of them match. All reads must be matched, and every listed
one must raise an alert. The cost of a read by batch and list is in `stages`. The cost of one read of one matcher then
goes into a model of larger sites (`benchmarks/machines.py`), which names the first limit.
"""

import json
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import click
import msgspec

from anpr.contracts import topics
from anpr.local.kafka_server import KafkaServer
from benchmarks.loops.cost import Work
from benchmarks.loops.group_member import Sample
from benchmarks.machines import LOADS, MACHINE, Measured, first_limit, needs
from benchmarks.options import COUNT
from benchmarks.ratios import interval
from benchmarks.stored_reads import PARTITIONS, SITE, simulated_lines
from benchmarks.throughput import LISTED_EVERY, Traffic, fill, write_index

_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Together(NamedTuple):
    """What matchers did in the time in which all of them matched, and what the broker took for each of all reads."""

    reads_per_second: float
    cpu_us: float
    broker_us: float


def counts(cores: int) -> list[int]:
    """Return the numbers of matchers to run: powers of two and all cores, but no more than there are partitions."""
    most = min(cores, PARTITIONS)
    return sorted({*takewhile(lambda count: count < most, (1 << power for power in range(most))), most})


def common(members: Sequence[Sequence[Sample]]) -> tuple[float, float]:
    """Return the reads a second and the microseconds of a core a read, in the time in which all members matched.

    Raises ValueError if there is no such time.
    """
    begin = max(next(sample.at for sample in samples if sample.reads) for samples in members)
    end = min(samples[-1].at for samples in members)
    within = [[sample for sample in samples if begin <= sample.at <= end] for samples in members]
    if end <= begin or not all(within):
        raise ValueError("the matchers did not match at the same time")
    reads = sum(samples[-1].reads - samples[0].reads for samples in within)
    cpu_seconds = sum(samples[-1].cpu_seconds - samples[0].cpu_seconds for samples in within)
    return reads / (end - begin), cpu_seconds / reads * 1e6


def run(count: int, folder: Path, broker: KafkaServer, reads: int, listed: int) -> Together:
    """Let so many matchers share the topic. Raises SystemExit where one fails, or reads or alerts are missing."""
    work = msgspec.json.encode(Work(broker.bootstrap, topics.reads(SITE), topics.alerts(SITE), reads)).decode()
    command = [sys.executable, "-m", "benchmarks.loops.group_member", work, str(folder / "index"), uuid.uuid4().hex]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  this program
        for _ in range(count)
    ]
    if any(process.stdout is None or process.stdout.readline() != b"ready\n" for process in processes):
        raise SystemExit("a matcher has failed")
    before = cpu_seconds_of(broker)
    for process in processes:
        if process.stdin is not None:
            process.stdin.write(b"begin\n")
            process.stdin.flush()
    members = [msgspec.json.decode(process.communicate()[0], type=list[Sample]) for process in processes]
    broker_us = (cpu_seconds_of(broker) - before) / reads * 1e6
    matched, alerts = (sum(getattr(samples[-1], what) for samples in members) for what in ("reads", "alerts"))
    if matched < reads or alerts < listed:
        raise SystemExit(f"{count} matchers: {matched} of {reads} reads and {alerts} alerts of {listed} listed reads")
    try:
        return Together(*common(members), broker_us)
    except ValueError:
        raise SystemExit(f"{count} matchers: {reads} reads are too few, one had ended before another began") from None


def cpu_seconds_of(broker: KafkaServer) -> float:
    """Return the processor time that the broker has taken so far."""
    after_name = Path(f"/proc/{broker.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / _TICKS


def row(count: int, own: Sequence[Together], of_one: Sequence[Together]) -> dict[str, object]:
    """Return the medians of the rounds, and how many times the reads of one matcher."""
    ratios = [several.reads_per_second / one.reads_per_second for several, one in zip(own, of_one, strict=True)]
    return {
        "matchers": count,
        "reads_per_second": round(median(of.reads_per_second for of in own)),
        "cpu_us": round(median(of.cpu_us for of in own), 2),
        "times_one": {name: round(of, 2) for name, of in interval(ratios)._asdict().items()},
    }


def model(measured: Measured) -> list[dict[str, object]]:
    """Return for each load what it needs, and its first limit."""
    rows = []
    for load in LOADS:
        found = needs(load, measured)
        rows.append({
            "load": load.name,
            "peak_per_second": round(load.peak_per_second, 1),
            "needs": {name: {"words": need.words, "share": round(need.share, 5)} for name, need in found.items()},
            "first_limit": first_limit(found),
        })  # fmt: skip
    return rows


def show(rows: Sequence[dict[str, object]], modelled: Sequence[dict[str, object]]) -> None:
    """Print both."""
    for of in [*rows, *modelled]:
        print(*(f"{name} {value}" for name, value in of.items()), sep="   ")


@click.command()
@click.option("--reads", type=click.IntRange(min=LISTED_EVERY), default=800_000, show_default=True)
@click.option("--entries", type=COUNT, default=1_000_000, show_default=True)
@click.option("--rounds", type=COUNT, default=3, show_default=True)
@click.option("--most", type=COUNT, default=len(os.sched_getaffinity(0)), help="Matchers; all cores by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(reads: int, entries: int, rounds: int, most: int, *, as_json: bool) -> None:
    """Measure one matcher and more, and print what the model makes of it."""
    numbers = counts(most)
    with tempfile.TemporaryDirectory(prefix="anpr-scale-") as name, KafkaServer(Path(name) / "kafka") as broker:
        folder = Path(name)
        traffic = Traffic(simulated_lines(folder), reads)
        write_index(folder / "index", traffic.list_of(entries), "near")
        before = cpu_seconds_of(broker)
        listed = fill(broker.bootstrap, traffic)
        taken_us = (cpu_seconds_of(broker) - before) / reads * 1e6
        runs: dict[int, list[Together]] = {count: [] for count in numbers}
        for number in range(rounds):
            for count in numbers:
                runs[count].append(run(count, folder, broker, reads, listed))
            click.echo(f"round {number + 1} of {rounds} is done", err=True)
    rows = [row(count, runs[count], runs[1]) for count in numbers]
    measured = Measured(
        matcher_us=median(of.cpu_us for of in runs[1]),
        broker_us=taken_us + median(of.broker_us for of in runs[1]),
        bytes_a_read=traffic.bytes_a_read,
    )
    modelled = model(measured)
    if as_json:
        about = {"reads": reads, "entries": entries, "rounds": rounds, "measured": measured._asdict()}
        print(json.dumps({**about, "machine": MACHINE._asdict(), "rows": rows, "model": modelled}))
    else:
        show(rows, modelled)


if __name__ == "__main__":
    main()
