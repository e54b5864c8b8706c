"""How many misread vehicles a list finds, and how many alerts a day are false.

    python -m benchmarks.quality [--reads FILE.csv] [--fit FILE.csv] [--entries N] [--days N] [--seed N] [--json]
                                 [--draw FOLDER]

Without --reads it measures two engines. For the reads to which the tables were fitted, fitting and measuring use
different plates: the plates are split in two by a hash, each half is measured with tables fitted to the other half,
and the two results are put together. For the engine to which no table was fitted, it uses the tables as shipped; with
--reads (columns country, plate, read, engine, confidence; the confidence may be empty) it does so for each engine of
the file. --fit uses tables fitted to the reads of another such file instead. The text, the country and the overall
confidence of a read are used, and in one row candidates as the simulators invent them.

By the pass, vehicles are read several times, with the frames and cameras that the simulators state, for a tenth of
the days. A calibrated camera's confidence counts by how often it has it in reads of other vehicles.

A misread is a read of four characters or more that differs from the plate. The same version, seed, options and file
give the same figures.
"""

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.fit_likelihood import SHORTEST_READ, Sample, load
from benchmarks.options import COUNT, Amount
from benchmarks.quality import report
from benchmarks.quality.measure import Fitted, Measured, Run, measure, together
from benchmarks.quality.world import VERSION

_MEASURED_READS = Path("simulators/data/rapidocr.csv")
_KEPT_READS = Path("benchmarks/data/tesseract.csv")
# Half the vehicles pass cameras with the one engine and half with the other: what one threshold finds for both.
_BOTH = "both, half and half"


def half(plate: str) -> int:
    """Return the half of a plate: 0 or 1."""
    return hashlib.sha256(plate.encode()).digest()[0] & 1


def engines(path: Path) -> dict[str, list[Sample]]:
    """Return the samples of each engine in a file."""
    samples = load(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = [row.get("engine") or path.stem for row in csv.DictReader(file)]
    by_engine: defaultdict[str, list[Sample]] = defaultdict(list)
    for name, sample in zip(names, samples, strict=True):
        by_engine[name].append(sample)
    for name, of_engine in by_engine.items():
        if len({sample.read == sample.plate for sample in of_engine if len(sample.read) >= SHORTEST_READ}) != 2:
            raise click.ClickException(f"{path}: {name} needs right reads and misreads")
    return dict(by_engine)


def measured(reads: Path | None, fit: Path | None, run: Run) -> Iterator[tuple[str, Measured]]:
    """Measure every engine on a list of one size."""

    def say(text: str) -> None:
        click.echo(f"\r{text:60}", err=True, nl=False)

    done = list[Measured]()
    if reads is None:
        samples = load(_MEASURED_READS)
        parts = []
        for side in (0, 1):
            fitted = Fitted.on([s for s in samples if half(s.plate) != side])
            of_side = [s for s in samples if half(s.plate) == side]
            parts.append(measure(of_side, fitted, Run(run.size, run.days / 2, run.seed + side), say))
        done.append(together(parts))
        yield "rapidocr", done[-1]
    fitted = Fitted.shipped() if fit is None else Fitted.on(load(fit))
    for engine, samples in engines(reads or _KEPT_READS).items():
        done.append(measure(samples, fitted, run, say))
        yield engine, done[-1]
    if reads is None:
        yield _BOTH, together(done)
    click.echo("", err=True)


@click.command(help=__doc__)
@click.option("--reads", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Other engines' reads.")
@click.option(
    "--fit",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Fit tables to these reads.",
)
@click.option(
    "--entries",
    "sizes",
    type=COUNT,
    multiple=True,
    default=(10_000, 100_000, 1_000_000),
    show_default=True,
)
@click.option(
    "--days",
    type=Amount(0.1),
    default=100.0,
    show_default=True,
    help="Days of 20,000 vehicles that are not listed.",
)
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True)
@click.option("--draw", type=click.Path(path_type=Path, file_okay=False), help="Draw the curves into this folder.")
def main(  # noqa: PLR0913  one argument for each option
    reads: Path | None,
    fit: Path | None,
    sizes: tuple[int, ...],
    days: float,
    seed: int,
    *,
    as_json: bool,
    draw: Path | None,
) -> None:
    """Measure and print."""
    if fit is not None and reads is None:
        raise click.UsageError("--fit names the reads to which the tables for --reads are fitted: give both")
    done = [result for size in sizes for result in measured(reads, fit, Run(size, days, seed))]
    figures = [report.figures(engine, of) for engine, of in done]
    if as_json:
        print(json.dumps({"version": VERSION, "seed": seed, "figures": figures}, indent=1))
    else:
        print(f"quality, version {VERSION}, seed {seed}")
        for of in figures:
            print("\n" + "\n".join(report.lines(of)))
    if draw is not None:
        report.draw(draw, [(engine, of) for engine, of in done if engine != _BOTH])


if __name__ == "__main__":
    main()
