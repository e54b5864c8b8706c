"""The index compared with other methods: vehicles found, false alerts a day, and time a read.

    python -m benchmarks.instead
    python -m benchmarks.instead --entries 1000000 --json

All use the same reads and the same list. Found: of the real misreads of listed vehicles (four characters or more that
differ from the plate; `simulators/data/rapidocr.csv`), those with the listed plate among the answers. False a day: of
20,000 vehicles that are not listed, read by the simulated recogniser, the reads with any answer. The index uses
tables that were fitted to the other half of the plates. Times are wall-clock time, because a server works in another
process.
"""

import hashlib
import json
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any, Final

import click
import numpy as np
import redis
from rapidfuzz import process
from rapidfuzz.distance import OSA
from symspellpy import SymSpell, Verbosity

from anpr.contracts import plates
from anpr.local.valkey_server import ValkeyServer
from anpr.matching.encoding.plate_codes import encode_plates
from anpr.matching.encoding.text_codes import columns_of_texts
from anpr.matching.lookup.plate_table import FOLDED_TIER, NEAR_TIER, PlateTable
from anpr.matching.scoring.background_model import BackgroundModel
from anpr.matching.scoring.confusion_model import ConfusionModel
from anpr.matching.scoring.likelihood import Likelihood
from anpr.reference_data import tables
from anpr.reference_data.limits import ALPHABET
from benchmarks.fit_likelihood import Sample, fit_misreads, fit_plates, load, misreads_toml, plates_toml
from benchmarks.options import AMOUNT, COUNT
from benchmarks.plates import Plates, make
from simulators.ocr import Recogniser

VEHICLES_A_DAY: Final = 20_000
# Slow methods are asked about fewer reads.
FEW: Final = 1_000
ROUNDS: Final = 3
_READS = Path("simulators/data/rapidocr.csv")
_KEY = "bench:plates"
_BATCH = 1_000


@dataclass(frozen=True)
class Reads:
    """Reads, and the texts on their plates."""

    texts: list[str]
    countries: list[str | None]
    confidences: list[float | None]
    plates: list[str]

    def of(self, part: slice) -> "Reads":
        """Return these reads."""
        return Reads(self.texts[part], self.countries[part], self.confidences[part], self.plates[part])


Answers = list[set[str]]
Method = Callable[[Reads], Answers]


def half(plate: str) -> int:
    """Return the half to which a plate belongs: 0 or 1."""
    return hashlib.sha256(plate.encode()).digest()[0] & 1


def misread(samples: Sequence[Sample]) -> Reads:
    """Return the misreads among the samples."""
    wrong = [sample for sample in samples if len(sample.read) >= 4 and sample.read != sample.plate]
    return Reads(
        [sample.read for sample in wrong],
        [sample.country for sample in wrong],
        [sample.confidence for sample in wrong],
        [sample.plate for sample in wrong],
    )


def traffic(count: int, listed: set[str], rng: Random) -> Reads:
    """Return reads of vehicles that are not listed."""
    model = json.loads(resources.files("simulators.data").joinpath("ocr_model.json").read_text("utf-8"))
    recogniser = Recogniser(model)
    reads = Reads([], [], [], [])
    while len(reads.texts) < count:
        made = make(1, rng)
        reading = recogniser.read(made.texts[0], recogniser.quality(rng), rng)
        if made.texts[0] not in listed and len(reading.text) >= 4:
            reads.texts.append(reading.text)
            reads.countries.append(made.countries[0])
            reads.confidences.append(reading.confidence)
            reads.plates.append(made.texts[0])
    return reads


def by_redis(client: redis.Redis, listed: Sequence[str]) -> Method:
    """Ask a set in Redis, a batch at a time. 0 and O count as one, and 1 and I."""
    of_key: dict[str, set[str]] = {}
    for plate in listed:
        of_key.setdefault(plates.equivalent(plate), set()).add(plate)
    keys = list(of_key)
    for at in range(0, len(keys), _BATCH):
        client.sadd(_KEY, *keys[at : at + _BATCH])

    def answers(reads: Reads) -> Answers:
        found: Answers = []
        for at in range(0, len(reads.texts), _BATCH):
            asked = [plates.equivalent(plates.canonical(text)) for text in reads.texts[at : at + _BATCH]]
            listed_flags = client.smismember(_KEY, asked)
            found += [of_key[key] if is_listed else set() for key, is_listed in zip(asked, listed_flags, strict=True)]
        return found

    return answers


def by_variants(listed: Sequence[str]) -> Method:
    """Look up every variant of a read at most one edit away in a set."""
    plates_listed = set(listed)

    def answers(reads: Reads) -> Answers:
        return [plates_listed.intersection(variants(plates.canonical(text))) for text in reads.texts]

    return answers


def variants(text: str) -> set[str]:
    """Return the text and all texts one edit away."""
    cuts = [(text[:at], text[at:]) for at in range(len(text) + 1)]
    found = {text} | {left + right[1:] for left, right in cuts if right}
    found |= {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    for character in ALPHABET:
        found |= {left + character + right for left, right in cuts}
        found |= {left + character + right[1:] for left, right in cuts if right}
    return found


def by_symspell(listed: Sequence[str]) -> Method:
    """Use symspellpy with distance 1."""
    speller = SymSpell(max_dictionary_edit_distance=1, prefix_length=plates.MAX_CANONICAL_LENGTH)
    for plate in listed:
        speller.create_dictionary_entry(plate, 1)

    def answers(reads: Reads) -> Answers:
        return [
            {found.term for found in speller.lookup(plates.canonical(text), Verbosity.ALL, max_edit_distance=1)}
            for text in reads.texts
        ]

    return answers


def by_rapidfuzz(listed: Sequence[str]) -> Method:
    """Compare every read with every plate."""

    def answers(reads: Reads) -> Answers:
        return [
            {
                plate
                for plate, _, _ in process.extract(
                    plates.canonical(text), listed, scorer=OSA.distance, score_cutoff=1, limit=None
                )
            }
            for text in reads.texts
        ]

    return answers


def by_index(listed: Plates, likelihood: Likelihood, widest: int) -> Method:
    """Use the index, up to this tier."""
    table = PlateTable.build(encode_plates(*listed), np.full(len(listed.texts), widest, np.uint8))

    def answers(reads: Reads) -> Answers:
        found: Answers = [set() for _ in reads.texts]
        matches = table.search(columns_of_texts(reads.texts, reads.countries, reads.confidences), likelihood)
        for at, row in zip(matches.read_rows.tolist(), matches.entry_rows.tolist(), strict=True):
            found[at].add(listed.texts[row])
        return found

    return answers


def likelihood_of(samples: Sequence[Sample], size: int) -> Likelihood:
    """Return a likelihood fitted to these samples alone."""
    misreads = ConfusionModel(tomllib.loads(misreads_toml(fit_misreads(samples))))
    seen = tomllib.loads(plates_toml(fit_plates(samples)))
    return Likelihood(
        size, misreads, BackgroundModel(tables.load("countries"), seen, tables.load("traffic")["share"])
    )


@dataclass
class Asked:
    """A method, the number of reads that it is asked about, and its results."""

    method: Method
    reads: int
    found: int = 0
    false: int = 0
    took_ns: int = 0

    def figures(self, misreads: int) -> dict[str, float]:
        """Return the share found, the false alerts a day, and the time of a read."""
        return {
            "found_percent": round(100 * self.found / misreads, 1),
            "false_a_day": round(self.false / self.reads * VEHICLES_A_DAY, 1),
            "ns_per_read": round(self.took_ns / self.reads),
            "reads": self.reads,
        }


def measure(methods: dict[str, Asked], misreads: Reads, unlisted: Reads, rng: Random) -> None:
    """Ask all methods. The misreads come first, so none is timed cold; the order in a round is random."""
    for name, asked in methods.items():
        say(f"{name}: misreads")
        asked.found = sum(
            plate in answers for plate, answers in zip(misreads.plates, asked.method(misreads), strict=True)
        )
    for number in range(ROUNDS):
        for name in rng.sample(list(methods), len(methods)):
            say(f"{name}: round {number + 1} of {ROUNDS}")
            asked = methods[name]
            part = unlisted.of(slice(number, asked.reads, ROUNDS))
            began = time.perf_counter_ns()
            answers = asked.method(part)
            asked.took_ns += time.perf_counter_ns() - began
            asked.false += sum(map(bool, answers))


@click.command()
@click.option("--entries", type=COUNT, default=100_000, show_default=True)
@click.option(
    "--days",
    type=AMOUNT,
    default=5.0,
    show_default=True,
    help="Days of vehicles that are not listed.",
)
@click.option("--seed", default=7, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(entries: int, days: float, seed: int, *, as_json: bool) -> None:
    """Measure all methods on the same reads and list."""
    rng = Random(seed)
    samples = load(_READS)
    misreads = misread([sample for sample in samples if half(sample.plate)])
    misreads = misreads.of(slice(entries))
    listed = make(entries - len(misreads.texts), rng)
    listed.texts.extend(misreads.plates)
    listed.countries.extend(misreads.countries)
    vehicles = max(1, round(days * VEHICLES_A_DAY))
    say(f"{len(misreads.texts)} misreads of listed plates; reading {vehicles} vehicles")
    unlisted = traffic(vehicles, set(listed.texts), rng)
    likelihood = likelihood_of([sample for sample in samples if not half(sample.plate)], len(listed.texts))
    unique = sorted(set(listed.texts))
    with tempfile.TemporaryDirectory() as folder, ValkeyServer(Path(folder)) as server:
        client = redis.Redis.from_url(server.url)
        say("building")
        methods = {
            "Redis SMISMEMBER": Asked(by_redis(client, unique), vehicles),
            "set, all one-edit variants": Asked(by_variants(unique), min(20 * FEW, vehicles)),
            "symspellpy": Asked(by_symspell(unique), min(20 * FEW, vehicles)),
            "rapidfuzz extract": Asked(by_rapidfuzz(unique), min(FEW, vehicles)),
            "index, up to folded": Asked(by_index(listed, likelihood, FOLDED_TIER), vehicles),
            "index, all tiers": Asked(by_index(listed, likelihood, NEAR_TIER), vehicles),
        }
        measure(methods, misreads, unlisted, rng)
        client.close()
    figures = {name: asked.figures(len(misreads.texts)) for name, asked in methods.items()}
    if as_json:
        print(json.dumps({"entries": len(listed.texts), "misreads": len(misreads.texts), "figures": figures}))
        return
    for name, row in figures.items():
        print(
            f"{name:28} found {row['found_percent']:>5} %   false a day {row['false_a_day']:>8}   "
            f"{row['ns_per_read']:>10} ns a read ({row['reads']} reads)"
        )


def say(what: Any) -> None:
    """Report progress."""
    print(what, file=sys.stderr)


if __name__ == "__main__":
    main()
