"""How fast the index is, as ratios to a Python dict of the same plates, measured in pairs in one run.

    python -m benchmarks.matching
    python -m benchmarks.matching --entries 10000000 --json

Times are the thread's own processor time, because machines are shared. Each round has a fresh batch of 10,000 right
reads, one in a thousand of them listed. Every entry has tolerance `near`. The answers are checked before anything is
timed. `match_..._us` is what a matcher gets: whole reads of the simulators, with confidences, with candidates and
without, matched by `Index.match`; every thousandth read and all others of its vehicle are listed.
"""

import json
import mmap
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final

import click
import msgspec
import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import Entry, Generation, Read
from anpr.index_store.index_file import decode_snapshot, encode_snapshot
from anpr.matching.encoding.columns import Texts, texts_for_kernels
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES
from anpr.matching.encoding.entry_blobs import EntryBlobs
from anpr.matching.encoding.inner_plates import INNER_PLATES
from anpr.matching.encoding.plate_codes import PlateCodes, encode_plates
from anpr.matching.encoding.text_codes import columns_of_texts
from anpr.matching.index import Index
from anpr.matching.index_tables import IndexTables
from anpr.matching.lookup.patterns import PatternTable
from anpr.matching.lookup.plate_table import EXACT_TIER, NEAR_TIER, MatchedPairs, PlateTable
from anpr.matching.scoring.confusion_model import IMPOSSIBLE
from anpr.matching.scoring.likelihood import Likelihood
from anpr.reads.decoder import decode_read
from benchmarks.plates import BATCH, Plates, batch, make, patterns
from benchmarks.stored_reads import SITE, simulated_lines

ROUNDS: Final = 9
PATTERNS: Final = 100_000
SINGLE_READS: Final = 500
CHANGES: Final = 1_000
# Making entries takes longer than everything else, and a change or a mapping depends little on the size of the list.
MOST_ENTRIES_MADE: Final = 1_000_000
# Of the simulators' reads, which come with candidates and confidences.
READS_FOR_ONE_LISTED: Final = 1000
_FIRST: Final = Generation(epoch=1, number=1)
_UNTIL: Final = datetime(2099, 1, 1, tzinfo=UTC)


class MadeWhenAsked(EntryBlobs):
    """Whole entries that are made when they match: making ten million takes longer than everything else."""

    def __init__(self, listed: Plates) -> None:
        """`listed` are the plates of the entries."""
        super().__init__(np.empty(0, np.uint8), np.zeros(len(listed.texts), np.int64), np.empty(0, np.uint64))
        self.entry = lru_cache(4096)(lambda row: entry_of(listed, row))


class EveryDeletion(Likelihood):
    """Searches all near matches of every read: a batch of dirty reads costs no more than this."""

    def __init__(self, list_size: int) -> None:
        """Take the size of the list."""
        super().__init__(list_size)
        self.tables = self.tables._replace(least_near_units=2 * IMPOSSIBLE)


@dataclass(frozen=True)
class Methods:
    """The methods that are measured."""

    listed: Plates
    rows: dict[str, int]
    exact: PlateTable
    all_tiers: PlateTable
    patterns: PatternTable
    likelihood: Likelihood
    every_deletion: EveryDeletion

    def by_dict(self, reads: Plates) -> list[int | None]:
        """Look up in a dict, as a programmer would first."""
        get = self.rows.get
        return [get(text) for text in reads.texts]

    def by_exact(self, encoded: PlateCodes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """From encoded plates to rows of reads and of entries."""
        found = self.exact.search(texts_for_kernels(encoded), self.likelihood)
        return found.read_rows, found.entry_rows

    def by_all_tiers(self, reads: Plates) -> MatchedPairs:
        """From texts and countries to rows."""
        return self.all_tiers.search(_encoded(reads), self.likelihood)

    def by_every_deletion(self, reads: Plates) -> MatchedPairs:
        """As before, with every deletion of every read searched."""
        return self.all_tiers.search(_encoded(reads), self.every_deletion)

    def by_patterns(self, reads: Plates) -> int:
        """From texts to rows of patterns."""
        return len(self.patterns.search(encode_plates(reads.texts, reads.countries))[0])


def _encoded(reads: Plates) -> Texts:
    return columns_of_texts(reads.texts, reads.countries, [None] * len(reads.texts))


def seconds(work: Callable[[], Any]) -> float:
    """Return the processor time of one run."""
    began = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - began) / 1e9


def built(listed: Plates, rng: Random) -> tuple[Methods, dict[str, float]]:
    """Return the methods, and the time that building them took."""
    count = len(listed.texts)
    encoded: list[PlateCodes] = []
    tables: dict[str, Any] = {}
    figures = {"encode_s": seconds(lambda: encoded.append(encode_plates(listed.texts, listed.countries)))}
    for name, widest in (("exact", EXACT_TIER), ("all_tiers", NEAR_TIER)):
        say(f"building: {name}")
        tolerances = np.full(count, widest, np.uint8)
        built_in = seconds(lambda: tables.update({name: PlateTable.build(encoded[0], tolerances)}))  # noqa: B023  run here
        figures |= {f"{name}_build_s": figures["encode_s"] + built_in, f"{name}_mb": megabytes(tables[name])}
    say(f"building: {PATTERNS} patterns")
    texts = patterns(PATTERNS, rng)
    figures["patterns_build_s"] = seconds(
        lambda: tables.update(patterns=PatternTable.build(list(range(len(texts))), texts))
    )
    rows = {text: row for row, text in enumerate(listed.texts)}
    methods = Methods(
        listed=listed,
        rows=rows,
        exact=tables["exact"],
        all_tiers=tables["all_tiers"],
        patterns=tables["patterns"],
        likelihood=Likelihood(count),
        every_deletion=EveryDeletion(count),
    )
    return methods, figures


def megabytes(table: PlateTable) -> float:
    """Return the memory of the arrays of a table."""
    plates = table.plates
    arrays: list[NDArray[Any]] = [plates.codes, plates.lengths, plates.countries, table.widest_tiers]
    for hash_table in (table.by_key, table.by_deletion):
        arrays += [hash_table.buckets, hash_table.slots]
    return sum(array.nbytes for array in arrays) / 1e6


def check(methods: Methods, rng: Random) -> None:
    """Stop unless all methods find what they must."""
    reads = batch(methods.listed, rng)
    by_dict = {(at, reads.texts[at]) for at, row in enumerate(methods.by_dict(reads)) if row is not None}
    encoded = encode_plates(reads.texts, reads.countries)
    all_tiers = methods.by_all_tiers(reads)
    exact = all_tiers.where(all_tiers.tiers == EXACT_TIER)
    for which, rows in (methods.by_exact(encoded), (exact.read_rows, exact.entry_rows)):
        listed = [methods.listed.texts[row] for row in rows.tolist()]
        if set(zip(which.tolist(), listed, strict=True)) != by_dict:
            raise SystemExit("the index and the dict do not find the same")
    if pairs(methods.by_all_tiers(reads)) != pairs(methods.by_every_deletion(reads)):
        raise SystemExit("a search that was left out would have found a match")


def pairs(found: MatchedPairs) -> set[tuple[int, int, int, float]]:
    """Return the matches as values that can be compared."""
    arrays = (found.read_rows, found.entry_rows, found.tiers, found.scores)
    return set(zip(*(array.tolist() for array in arrays), strict=True))


def measured(methods: Methods, rng: Random) -> dict[str, dict[str, float]]:
    """Return the median ns a read, and the median ratio to the dict of the same round."""
    rounds = []
    for number in range(ROUNDS + 1):
        say(f"round {number} of {ROUNDS}")
        batches = [batch(methods.listed, rng) for _ in range(7)]
        encoded, encoded_prefixes, encoded_inner = (
            encode_plates(plates.texts, plates.countries) for plates in (batches[1], *batches[5:])
        )
        rounds.append(
            {
                "dict": seconds(lambda: methods.by_dict(batches[0])),  # noqa: B023  run here
                "exact": seconds(lambda: methods.by_exact(encoded)),  # noqa: B023
                "all_tiers": seconds(lambda: methods.by_all_tiers(batches[2])),  # noqa: B023
                "all_tiers_every_read_searched": seconds(lambda: methods.by_every_deletion(batches[3])),  # noqa: B023
                "country_prefixes_looked_for": seconds(lambda: COUNTRY_PREFIXES.strip(encoded_prefixes)),  # noqa: B023
                "inner_plates_looked_for": seconds(lambda: INNER_PLATES.find(encoded_inner)),  # noqa: B023
                "patterns_added": seconds(lambda: methods.by_patterns(batches[4])),  # noqa: B023
            }
        )
    rounds = rounds[1:]  # the first touches all pages for the first time
    return {
        name: {
            "ns_per_read": round(median(round_[name] for round_ in rounds) / BATCH * 1e9, 1),
            "times_dict": round(median(round_[name] / round_["dict"] for round_ in rounds), 3),
        }
        for name in rounds[0]
    }


def one_by_one(methods: Methods, rng: Random) -> dict[str, float]:
    """Return the microseconds of a read alone: the median, and the time that one in twenty exceeds."""
    reads = batch(methods.listed, rng, SINGLE_READS)
    alone = [Plates([text], [country]) for text, country in zip(*reads, strict=True)]
    took = sorted(seconds(lambda: methods.by_all_tiers(read)) * 1e6 for read in alone)  # noqa: B023  run here
    return {"one_read_us": round(median(took), 1), "one_read_in_twenty_us": round(took[len(took) * 19 // 20], 1)}


def matched(methods: Methods, reads: Sequence[Read]) -> dict[str, float]:
    """Return the microseconds of each read in `Index.match`, by how many come together."""
    say("matching whole reads")
    tables = IndexTables(methods.all_tiers, PatternTable.build([], []), MadeWhenAsked(methods.listed))
    index = Index.from_snapshot(tables, _FIRST)
    without = [msgspec.structs.replace(read, candidates=()) for read in reads]
    figures = {}
    for name, of in (("", reads), ("_without_candidates", without)):
        for size in (1, 20, 500):
            batches = [of[start : start + size] for start in range(0, len(of), size)]
            took = [seconds(lambda: [index.match(reads) for reads in batches]) for _ in range(ROUNDS)]  # noqa: B023  run here
            figures[f"match_{size}_together{name}_us"] = round(median(took) / len(of) * 1e6, 2)
    return figures


def with_whole_entries(listed: Plates) -> dict[str, float]:
    """Return the time until a change is active, and until a file is mapped, with whole entries."""
    count = min(len(listed.texts), MOST_ENTRIES_MADE)
    say(f"making {count} whole entries")
    index: list[Index] = []
    figures = {"index_entries": float(count)}
    entries = list(entries_of(listed, count))
    figures["index_build_s"] = seconds(lambda: index.append(Index.build(entries, _FIRST)))
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


def simulated_reads() -> list[Read]:
    """Return reads of the simulators, with the confidences and candidates that these give them."""
    with tempfile.TemporaryDirectory() as folder:
        now = datetime.now(UTC)
        return [decode_read(line, SITE, now) for line in simulated_lines(Path(folder))]


def opened(path: Path, *, check_entries: bool) -> Index:
    """Return the index in a file, as a matcher opens it."""
    with path.open("rb") as file:
        buffer = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return decode_snapshot(buffer, check_entries=check_entries).index


def entries_of(listed: Plates, count: int) -> Iterator[Entry]:
    """Return whole entries of the first plates."""
    return (entry_of(listed, row) for row in range(count))


def entry_of(listed: Plates, row: int) -> Entry:
    """Return a whole entry of a plate."""
    return Entry(
        entry_id=f"e{row:08}",
        revision=_FIRST,
        list="bench",
        plate=listed.texts[row],
        country=listed.countries[row],
        category="stolen",
        reason="reported stolen",
        instruction="stop, check the documents",
        valid_until=_UNTIL,
        tolerance="near",
    )


def say(what: str) -> None:
    """Report progress."""
    print(what, file=sys.stderr)


@click.command()
@click.option(
    "--entries",
    type=click.IntRange(min=2 * CHANGES),  # so many are changed
    default=1_000_000,
    show_default=True,
    help="Number of entries on the list.",
)
@click.option("--seed", default=7, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(entries: int, seed: int, *, as_json: bool) -> None:
    """Measure the index against a dict of the same plates.

    A run takes about a minute and 1.5 GB of memory with a million entries, some minutes and 5 GB with ten million.
    """
    rng = Random(seed)
    say(f"making {entries} plates")
    listed, reads = make(entries, rng), simulated_reads()
    for place, read in enumerate(reads[::READS_FOR_ONE_LISTED]):
        listed.texts[place], listed.countries[place] = read.plate, read.country
    methods, figures = built(listed, rng)
    say("checking the answers")
    check(methods, rng)
    ratios = measured(methods, rng)
    figures = {name: round(value, 2) for name, value in figures.items()}
    figures |= one_by_one(methods, rng) | matched(methods, reads)
    figures |= with_whole_entries(listed)
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
