"""How fast the index is, as ratios to a Python dict of the same plates, measured in pairs in one run.

    python -m benchmarks.matching
    python -m benchmarks.matching --entries 10000000 --json

Times are the thread's own processor time, for machines are shared. Each round has a fresh batch of 10,000 reads, read
rightly, one in a thousand of them listed; every entry tolerates near matches. Answers are checked before anything
is timed.
"""

import json
import mmap
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import click
import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import Entry, Generation
from anpr.index_store.index_file import decode_snapshot, encode_snapshot
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES
from anpr.matching.encoding.plate_codes import TO_FOLDED, WIDTH, PlateCodes, encode_plates, translated
from anpr.matching.index import Index
from anpr.matching.lookup.patterns import PatternTable
from anpr.matching.lookup.plate_table import EXACT_TIER, NEAR_TIER, MatchedPairs, PlateTable
from anpr.matching.scoring.likelihood import Likelihood
from benchmarks.plates import BATCH, Plates, batch, make, patterns

ROUNDS: Final = 9
PATTERNS: Final = 100_000
SINGLE_READS: Final = 500
CHANGES: Final = 1_000
# Making entries takes longer than all else, and how large a list is matters little to a change or a mapping.
MOST_ENTRIES_MADE: Final = 1_000_000


class Everything(Likelihood):
    """Looks for all near matches of every read: a batch of reads that are all dirty costs no more than this."""

    def deletions_to_search(self, reads: PlateCodes) -> NDArray[np.bool_]:
        """Return all that there is."""
        places = np.arange(1 + WIDTH) <= reads.lengths[:, None]
        return np.asarray(places & (reads.lengths > 0)[:, None])


@dataclass(frozen=True)
class Ways:
    """What is measured."""

    listed: Plates
    rows: dict[str, int]
    exact: PlateTable
    all_tiers: PlateTable
    patterns: PatternTable
    likelihood: Likelihood
    everything: Everything

    def by_dict(self, reads: Plates) -> list[int | None]:
        """Look up as a programmer would at first."""
        get = self.rows.get
        return [get(text) for text in reads.texts]

    def by_exact(self, packed: PlateCodes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """From packed plates to rows of reads and of entries."""
        which, rows, tiers = self.exact.same_key_pairs(packed, translated(packed.codes, TO_FOLDED))
        exact = tiers == EXACT_TIER
        return which[exact], rows[exact]

    def by_exact_scored(self, packed: PlateCodes) -> MatchedPairs:
        """As before, with how probable each is, where the list allows nothing but exact matches."""
        return self.exact.search(packed, self.likelihood)

    def by_all_tiers(self, reads: Plates) -> MatchedPairs:
        """From texts and countries to rows."""
        return self.all_tiers.search(encode_plates(reads.texts, reads.countries), self.likelihood)

    def by_everything(self, reads: Plates) -> MatchedPairs:
        """As before, with every read searched."""
        return self.all_tiers.search(encode_plates(reads.texts, reads.countries), self.everything)

    def by_patterns(self, reads: Plates) -> int:
        """From texts to rows of patterns."""
        return len(self.patterns.search(encode_plates(reads.texts, reads.countries))[0])


def seconds(work: Callable[[], Any]) -> float:
    """Return the processor time of one run."""
    began = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - began) / 1e9


def built(listed: Plates, rng: Random) -> tuple[Ways, dict[str, float]]:
    """Return all that is measured, and what building it took."""
    count = len(listed.texts)
    packed: list[PlateCodes] = []
    tables: dict[str, Any] = {}
    figures = {"pack_s": seconds(lambda: packed.append(encode_plates(listed.texts, listed.countries)))}
    for name, widest in (("exact", EXACT_TIER), ("all_tiers", NEAR_TIER)):
        say(f"building: {name}")
        tolerances = np.full(count, widest, np.uint8)
        built_in = seconds(lambda: tables.update({name: PlateTable.build(packed[0], tolerances)}))  # noqa: B023  run here
        figures |= {f"{name}_build_s": figures["pack_s"] + built_in, f"{name}_mb": megabytes(tables[name])}
    say(f"building: {PATTERNS} patterns")
    texts = patterns(PATTERNS, rng)
    figures["patterns_build_s"] = seconds(
        lambda: tables.update(patterns=PatternTable.build(list(range(len(texts))), texts))
    )
    rows = {text: row for row, text in enumerate(listed.texts)}
    ways = Ways(
        listed, rows, tables["exact"], tables["all_tiers"], tables["patterns"], Likelihood(count), Everything(count)
    )
    return ways, figures


def megabytes(table: PlateTable) -> float:
    """Return what the arrays of a table take."""
    plates = table.plates
    arrays: list[NDArray[Any]] = [plates.codes, plates.lengths, plates.countries, table.widest_tiers]
    for hash_table in (table.by_key, table.by_deletion):
        arrays += [hash_table.buckets, hash_table.slots]
    return sum(array.nbytes for array in arrays) / 1e6


def check(ways: Ways, rng: Random) -> None:
    """Stop unless all ways find what they must."""
    reads = batch(ways.listed, rng)
    by_dict = {(at, reads.texts[at]) for at, row in enumerate(ways.by_dict(reads)) if row is not None}
    packed = encode_plates(reads.texts, reads.countries)
    founds = [
        found.where(found.tiers == EXACT_TIER) for found in (ways.by_exact_scored(packed), ways.by_all_tiers(reads))
    ]
    for which, rows in (ways.by_exact(packed), *((exact.read_rows, exact.entry_rows) for exact in founds)):
        listed = [ways.listed.texts[row] for row in rows.tolist()]
        if set(zip(which.tolist(), listed, strict=True)) != by_dict:
            raise SystemExit("the index and the dict do not find the same")
    if pairs(ways.by_all_tiers(reads)) != pairs(ways.by_everything(reads)):
        raise SystemExit("what is not searched would have been found")


def pairs(found: MatchedPairs) -> set[tuple[int, int, int, float]]:
    """Return matches that can be compared."""
    arrays = (found.read_rows, found.entry_rows, found.tiers, found.scores)
    return set(zip(*(array.tolist() for array in arrays), strict=True))


def measured(ways: Ways, rng: Random) -> dict[str, dict[str, float]]:
    """Return ns a read and the ratio to the dict of the same round, at the median."""
    rounds = []
    for number in range(ROUNDS + 1):
        say(f"round {number} of {ROUNDS}")
        batches = [batch(ways.listed, rng) for _ in range(7)]
        packed, packed_too, packed_again = (
            encode_plates(one.texts, one.countries) for one in (batches[1], *batches[5:])
        )
        rounds.append(
            {
                "dict": seconds(lambda: ways.by_dict(batches[0])),  # noqa: B023  run here
                "exact": seconds(lambda: ways.by_exact(packed)),  # noqa: B023
                "exact_scored": seconds(lambda: ways.by_exact_scored(packed_too)),  # noqa: B023
                "all_tiers": seconds(lambda: ways.by_all_tiers(batches[2])),  # noqa: B023
                "all_tiers_every_read_searched": seconds(lambda: ways.by_everything(batches[3])),  # noqa: B023
                "badges_looked_for": seconds(lambda: COUNTRY_PREFIXES.strip(packed_again)),  # noqa: B023
                "patterns_added": seconds(lambda: ways.by_patterns(batches[4])),  # noqa: B023
            }
        )
    rounds = rounds[1:]  # the first touches all pages for the first time
    return {
        name: {
            "ns_per_read": round(median(one[name] for one in rounds) / BATCH * 1e9, 1),
            "times_dict": round(median(one[name] / one["dict"] for one in rounds), 3),
        }
        for name in rounds[0]
    }


def one_by_one(ways: Ways, rng: Random) -> dict[str, float]:
    """Return the microseconds that a read takes alone: at the median, and those that one in twenty exceeds."""
    reads = batch(ways.listed, rng, SINGLE_READS)
    alone = [Plates([text], [country]) for text, country in zip(*reads, strict=True)]
    took = sorted(seconds(lambda: ways.by_all_tiers(one)) * 1e6 for one in alone)  # noqa: B023  run here
    return {"one_read_us": round(median(took), 1), "one_read_in_twenty_us": round(took[len(took) * 19 // 20], 1)}


def changed_and_mapped(listed: Plates) -> dict[str, float]:
    """Return what it takes until a change is in force, and until a file is mapped, with whole entries."""
    count = min(len(listed.texts), MOST_ENTRIES_MADE)
    say(f"making {count} whole entries")
    index: list[Index] = []
    figures = {"index_entries": float(count)}
    entries = list(entries_of(listed, count))
    figures["index_build_s"] = seconds(lambda: index.append(Index.build(entries, Generation(epoch=1, number=1))))
    put, removed = entries[:CHANGES], [entry.entry_id for entry in entries[CHANGES : 2 * CHANGES]]
    changed = index[0].with_changes(put, removed, Generation(epoch=1, number=2))
    if changed.size != count - CHANGES:
        raise SystemExit("the change did not change what it should")
    changing = [seconds(lambda: index[0].with_changes(put, removed, Generation(epoch=1, number=2))) for _ in range(5)]
    figures["change_ms"] = median(changing) * 1e3
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        with path.open("wb") as file:
            file.writelines(encode_snapshot(index[0], datetime.now(UTC)))
        figures["file_mb"] = path.stat().st_size / 1e6
        for name, check_entries in (("map_ms", False), ("map_and_check_all_ms", True)):
            mapping = [seconds(lambda: opened(path, check_entries=check_entries)) for _ in range(5)]  # noqa: B023
            figures[name] = median(mapping) * 1e3
    return {name: round(value, 2) for name, value in figures.items()}


def opened(path: Path, *, check_entries: bool) -> Index:
    """Return the index in a file, as a matcher takes it."""
    with path.open("rb") as file:
        buffer = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return decode_snapshot(buffer, check_entries=check_entries).index


def entries_of(listed: Plates, count: int) -> Iterator[Entry]:
    """Return whole entries of the first plates."""
    until, first = datetime(2099, 1, 1, tzinfo=UTC), Generation(epoch=1, number=1)
    for row in range(count):
        yield Entry(
            entry_id=f"e{row:08}",
            revision=first,
            list="bench",
            plate=listed.texts[row],
            country=listed.countries[row],
            category="stolen",
            reason="reported stolen",
            instruction="stop, check the documents",
            valid_until=until,
            tolerance="near",
        )


def say(what: str) -> None:
    """Tell of the progress."""
    print(what, file=sys.stderr)


@click.command()
@click.option(
    "--entries",
    type=click.IntRange(min=2 * CHANGES),  # so many are changed
    default=1_000_000,
    show_default=True,
    help="How long the list is.",
)
@click.option("--seed", default=7, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(entries: int, seed: int, *, as_json: bool) -> None:
    """Measure the index against a dict of the same plates.

    A run takes 20 seconds of processor time and 1.5 GB of memory with a million entries, 40 seconds and 2.2 GB with
    three million; by that about two minutes and 5 GB with ten million.
    """
    rng = Random(seed)
    say(f"making {entries} plates")
    listed = make(entries, rng)
    ways, figures = built(listed, rng)
    say("checking the answers")
    check(ways, rng)
    ratios = measured(ways, rng)
    figures = {name: round(value, 2) for name, value in figures.items()}
    figures |= one_by_one(ways, rng) | changed_and_mapped(listed)
    if as_json:
        print(
            json.dumps({"entries": entries, "batch": BATCH, "rounds": ROUNDS, "ratios": ratios, "figures": figures})
        )
        return
    for name, row in ratios.items():
        print(f"{name:32} {row['ns_per_read']:>8} ns a read {row['times_dict']:>7} x dict")
    for name, value in figures.items():
        print(f"{name:32} {value:>8}")


if __name__ == "__main__":
    main()
