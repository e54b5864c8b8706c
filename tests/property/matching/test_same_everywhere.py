"""A read raises the same alerts with the same scores wherever it is matched: alone, in any batch, live, offline."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from anpr.backtest.synthetic_traffic import SyntheticTraffic
from anpr.contracts import canary
from anpr.contracts.events import Candidate, Entry, Read
from anpr.index_store.index_file import decode_delta, decode_snapshot, encode_delta, encode_snapshot
from anpr.matching.encoding.plate_codes import country_text
from anpr.matching.index import Index
from anpr.matching.scoring.background_model import BACKGROUND_MODEL
from anpr.matching.scoring.confusion_model import CONFUSION_MODEL
from anpr.matching.scoring.likelihood import LEAST_SCORES
from tests.support.strategies import a_read, an_entry, generation, minutes

# Longer than the length that shorter lists count as, so that one entry more changes the scores.
LISTED = 2_000
READS = 100
SIZES = (*range(2, 18), 31, 32, 33, 64, 2 * READS)


@cache
def drawn() -> tuple[list[Entry], list[Read]]:
    """Return a list, and misreads of its plates of all kinds that the tables know."""
    random = np.random.default_rng(7)
    traffic = SyntheticTraffic(BACKGROUND_MODEL, CONFUSION_MODEL, random)
    plates = traffic.plates(LISTED)
    entries = [
        an_entry(str(row), plate=plates.text(row), country=country_text(int(plates.countries[row])), tolerance="near")
        for row in range(LISTED)
    ]
    misread = traffic.misread(plates.take(np.arange(READS)))
    reads = [
        a_read(
            str(row),
            plate=misread.text(row) or "-",
            country=country_text(int(misread.countries[row])) if row % 3 else None,
            confidence=round(float(random.random()), 3) if row % 4 else None,
        )
        for row in range(READS)
    ]
    return entries, reads


def as_candidate(read: Read, confidence: np.float32) -> Read:
    """Return a read that has this text only as a candidate, with this confidence."""
    candidate = Candidate(plate=read.plate, confidence=float(confidence))
    return a_read(read.read_id, plate="-", country=read.country, candidates=(candidate,))


@cache
def reads_at_the_threshold() -> list[Read]:
    """Return pairs of reads whose confidences differ by the last bit; one read matches and the other does not."""
    entries, reads = drawn()
    index = Index.build(entries, generation(1))
    reads = [read for read in reads if index.match([as_candidate(read, np.float32(1))]) != [[]]]
    below, enough = np.zeros(len(reads), np.float32), np.ones(len(reads), np.float32)
    while (between := (below + enough) / 2)[apart := (below < between) & (between < enough)].size:
        matches = index.match([as_candidate(*pair) for pair in zip(reads, between, strict=True)])
        found = np.array([of_read != [] for of_read in matches])
        below[apart & ~found], enough[apart & found] = between[apart & ~found], between[apart & found]
    return [as_candidate(*pair) for side in (below, enough) for pair in zip(reads, side, strict=True)]


def answers(index: Index, reads: Sequence[Read]) -> list[list[tuple[str, str, float]]]:
    return [[(match.entry.entry_id, match.tier, match.score) for match in matches] for matches in index.match(reads)]


def in_batches(index: Index, reads: Sequence[Read], size: int) -> list[list[tuple[str, str, float]]]:
    return [answer for at in range(0, len(reads), size) for answer in answers(index, reads[at : at + size])]


@pytest.mark.parametrize("which", [lambda: drawn()[1], reads_at_the_threshold], ids=["misreads", "at the threshold"])
def test_a_read_matches_the_same_alone_and_in_a_batch_of_any_size(which: Callable[[], list[Read]]) -> None:
    entries, reads = drawn()[0], which()
    index = Index.build(entries, generation(1))
    alone = [answers(index, [read])[0] for read in reads]
    assert sum(map(len, alone)) > 20
    for size in SIZES:
        assert in_batches(index, reads, size) == alone


def test_reads_at_the_threshold_are_on_both_sides_of_it() -> None:
    matches = Index.build(drawn()[0], generation(1)).match(reads_at_the_threshold())
    tiers = {match.tier for of_read in matches for match in of_read if match.score == LEAST_SCORES.get(match.tier)}
    assert tiers == {"folded", "near"}
    assert sum(of_read == [] for of_read in matches) > READS / 5


def live(entries: Sequence[Entry]) -> Index:
    """Return the index as a matcher has it: mapped from files, with the canary and the latest entries in a delta."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    first = Index.build([*entries[:-50], an_entry("removed", plate="XX99XXX")], generation(1))
    base = decode_snapshot(memoryview(b"".join(encode_snapshot(first, now)))).index
    over = base.with_changes([*entries[-50:], canary.entry(minutes(0))], ["removed"], generation(2))
    delta = decode_delta(memoryview(b"".join(encode_delta(over, now))))
    return delta.index([base.snapshot], base.generation)


def test_the_live_index_with_its_canary_matches_as_the_dry_run_does_without() -> None:
    entries, misreads = drawn()
    reads = [*misreads, *reads_at_the_threshold()]
    offline = [answers(Index.build(entries, generation(2)), [read])[0] for read in reads]
    followed = live(entries)
    assert in_batches(followed, reads, 65) == offline
    compacted = followed.compacted()
    assert in_batches(compacted, reads, 64) == offline
    without = compacted.with_changes([], [canary.ENTRY_ID], generation(3))
    assert in_batches(without, reads, 63) == offline


def test_the_canary_is_found_in_an_index_with_its_entry() -> None:
    [[match]] = live(drawn()[0]).match([canary.read("calais", minutes(0))])
    assert (match.entry.entry_id, match.tier) == (canary.ENTRY_ID, "exact")
