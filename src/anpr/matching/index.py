"""The index: one generation of the watchlist in memory, laid out so that one pass finds the entries of a batch.

An index never changes. A new generation is a new index, activated by one assignment, so no read sees half of one. A
small change of a large list is a new index too: it shares the tables of the old one (the *snapshot*), marks its rows
that have left the list, and has small tables of its own (the *delta*) for the entries put since.

Conditions that do not depend on the plate (validity, sites, directions) are tested last, on the few entries found.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from anpr.contracts import canary
from anpr.contracts.events import DIRECTIONS, TIERS, Candidate, Entry, Explanation, Generation, Read
from anpr.contracts.local_days import UTC_DAYS, LocalDays
from anpr.contracts.plates import as_read, is_pattern
from anpr.matching import umlauts
from anpr.matching.districts import compare_districts
from anpr.matching.encoding.encoded_entry import EncodedEntry, encode_entries
from anpr.matching.encoding.entry_blobs import EntryBlobs
from anpr.matching.encoding.plate_codes import PlateCodes, Rows, encode_plates
from anpr.matching.explanation import explain
from anpr.matching.index_tables import IndexTables
from anpr.matching.lookup.plate_table import FOLDED_TIER, NEAR_TIER, WIDEST_TIERS, MatchedPairs
from anpr.matching.scoring.likelihood import Likelihood

# Building a larger delta again, as every change does, takes longer than a change may take to become active.
COMPACT_AFTER_CHANGES = 10_000


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that a read matches, with the tier, the score (0..1) and the reasons."""

    entry: Entry
    tier: str
    score: float
    explanation: Explanation

    @property
    def plate(self) -> str:
        """The vehicle's plate in its canonical form: the listed plate, or for a pattern the plate as read."""
        return self.explanation.read_as if self.tier == "pattern" else self.explanation.listed_as


class PlateReading(Protocol):
    """What decides whether a read may match, apart from its time, its site and its direction."""

    @property
    def plate(self) -> str:
        """The text as the camera wrote it."""

    @property
    def country(self) -> str | None:
        """The code of the plate's country."""

    @property
    def confidence(self) -> float | None:
        """How sure the camera is of the text."""

    @property
    def char_confidences(self) -> Sequence[float]:
        """How sure the camera is of each character."""

    @property
    def candidates(self) -> Sequence[Candidate]:
        """What else the camera thinks the text may be."""

    @property
    def dropped_fields(self) -> Sequence[str]:
        """The fields that the decoder could not use."""


class ReadText(NamedTuple):
    """One text of a read: its own, or a candidate with a confidence of its own.

    `original` is the text as the camera wrote it, where `plate` writes its umlauts in another way; "" elsewhere.
    """

    read_row: int
    plate: str
    confidence: float | None
    is_candidate: bool
    original: str = ""


class _Pair(NamedTuple):
    """A text and an entry that match, the listed text, the tier (a position in TIERS) and the score."""

    text_row: int
    entry: Entry
    listed_as: str
    tier: int
    score: float


class _Best(NamedTuple):
    """The surest match so far of a read and an entry; the lowest `rank` (tier, score downwards, text) is surest."""

    rank: tuple[int, float, int]
    match: Match


@dataclass(frozen=True)
class Index:
    """One generation of the watchlist, ready to be matched against.

    `removed_rows` are the rows of the snapshot that have left the list, in order. `is_removed` has one flag for each
    row of the snapshot; it is None for an index that is its snapshot.
    """

    generation: Generation
    snapshot_generation: Generation
    snapshot: IndexTables
    removed_rows: Rows
    is_removed: NDArray[np.bool_] | None
    delta: IndexTables | None
    likelihood: Likelihood

    @classmethod
    def build(cls, entries: Iterable[Entry], generation: Generation) -> "Index":
        """Build the snapshot of a generation."""
        return cls.from_snapshot(IndexTables.build(entries), generation)

    @classmethod
    def build_encoded(cls, entries: Iterable[EncodedEntry], generation: Generation) -> "Index":
        """Build the snapshot of a generation from entries that are already encoded."""
        return cls.from_snapshot(IndexTables.build_encoded(entries), generation)

    @classmethod
    def from_snapshot(cls, snapshot: IndexTables, generation: Generation) -> "Index":
        """Return the index of existing tables, such as those of a file."""
        likelihood = Likelihood(_vehicle_count(snapshot.entry_blobs))
        return cls(generation, generation, snapshot, np.empty(0, np.intp), None, None, likelihood)

    @property
    def size(self) -> int:
        """The number of entries."""
        return len(self.snapshot.entry_blobs) - len(self.removed_rows) + len(self._delta_entries)

    @property
    def change_count(self) -> int:
        """How many entries have been removed or put since the snapshot."""
        return len(self.removed_rows) + len(self._delta_entries)

    @property
    def is_compaction_due(self) -> bool:
        """Whether so much has changed that a new snapshot of `encoded_entries()` should replace this index."""
        return self.change_count > COMPACT_AFTER_CHANGES

    def entries(self) -> Iterator[Entry]:
        """Return the entries of this generation, in no particular order."""
        for row, entry in enumerate(self.snapshot.entry_blobs):
            if self.is_removed is None or not self.is_removed[row]:
                yield entry
        yield from self._delta_entries

    def entries_since(self, generation: Generation) -> Iterator[Entry]:
        """Return the entries that were put after a generation; quickly where the snapshot is not newer than that."""
        put_since = self._delta_entries if self.snapshot_generation <= generation else self.entries()
        return (entry for entry in put_since if entry.revision > generation)

    def encoded_entries(self) -> Iterator[EncodedEntry]:
        """Return the entries of this generation in their encoded form: the input of a compaction."""
        for row, entry in enumerate(self.snapshot.entry_blobs.encoded_entries()):
            if self.is_removed is None or not self.is_removed[row]:
                yield entry
        yield from self._encoded_delta_entries()

    def with_changes(self, put: Iterable[Entry], removed: Iterable[str], generation: Generation) -> "Index":
        """Return the index after a change: `removed` ids leave the list; `put` entries are added, or replace theirs.

        The cost grows with the number of changes since the snapshot, not with the size of the snapshot.
        """
        new = {entry.entry_id: entry for entry in put}
        superseded = new.keys() | set(removed)
        kept = (entry for entry in self._encoded_delta_entries() if entry[0].entry_id not in superseded)
        delta_entries = [*kept, *encode_entries(new.values())]
        removed_rows = np.union1d(self.removed_rows, self.snapshot.entry_blobs.rows_of(superseded))
        delta = IndexTables.build_encoded(delta_entries) if delta_entries else None
        return self.with_delta(removed_rows, delta, generation)

    def with_delta(self, removed_rows: Rows, delta: IndexTables | None, generation: Generation) -> "Index":
        """Return the index of the same snapshot with these rows removed and this delta added."""
        is_removed = np.zeros(len(self.snapshot.entry_blobs), bool)
        is_removed[removed_rows] = True
        vehicles = _vehicle_count(self.snapshot.entry_blobs, is_removed)
        if delta is not None:
            vehicles += _vehicle_count(delta.entry_blobs)
        likelihood = Likelihood(vehicles)
        return Index(generation, self.snapshot_generation, self.snapshot, removed_rows, is_removed, delta, likelihood)

    def match(self, reads: Sequence[Read], days: LocalDays = UTC_DAYS) -> list[list[Match]]:
        """Return for each read, in their order, the entries that it matches, in order of `entry_id`.

        The text that matches in the surest tier explains the match. The score is the highest of all texts of the
        read: another candidate with the same plate and less confidence makes the vehicle no less likely. `days` says
        when an entry that gives days is valid at the site of each read.
        """
        texts = texts_of(reads)
        codes = encode_texts(texts, reads)
        best: defaultdict[int, dict[str, _Best]] = defaultdict(dict)
        for pair in self._pairs(codes, texts, reads, days):
            text, entry = texts[pair.text_row], pair.entry
            read = reads[text.read_row]
            score = round(pair.score, 4)
            rank = (pair.tier, -pair.score, pair.text_row)
            best_so_far = best[text.read_row].get(entry.entry_id)
            if best_so_far is None or rank < best_so_far.rank:
                candidate = (text.original or text.plate) if text.is_candidate else None
                read_as = as_read(text.original) if text.original else codes.text(pair.text_row)
                explanation = explain(read_as, pair.listed_as, read, entry, candidate=candidate)
                if text.original:
                    explanation = umlauts.explained(explanation)
                highest = max(score, best_so_far.match.score if best_so_far else 0.0)
                match = Match(entry, TIERS[pair.tier], highest, explanation)
                best[text.read_row][entry.entry_id] = _Best(rank, match)
            elif score > best_so_far.match.score:
                best[text.read_row][entry.entry_id] = _Best(best_so_far.rank, replace(best_so_far.match, score=score))
        matches: list[list[Match]] = [[] for _ in reads]
        for read_row, best_by_entry in best.items():
            matches[read_row] = sorted(
                (best_of_entry.match for best_of_entry in best_by_entry.values()), key=attrgetter("entry.entry_id")
            )
        return matches

    def may_match(self, reads: Sequence[PlateReading]) -> set[int]:
        """Return the rows of the reads that match an entry, or would at another time, site or in another direction.

        Each text is searched as in `match`. So a read whose row is not here matches nothing.
        """
        texts = texts_of(reads)
        codes = encode_texts(texts, reads)
        return {texts[row].read_row for _, pairs in self._search(codes) for row in pairs.read_rows.tolist()}

    def _pairs(
        self, codes: PlateCodes, texts: Sequence[ReadText], reads: Sequence[Read], days: LocalDays
    ) -> Iterator[_Pair]:
        """Yield the pairs of a text and an entry that match."""
        for tables, pairs in self._search(codes):
            columns = (column.tolist() for column in (pairs.read_rows, pairs.entry_rows, pairs.tiers, pairs.scores))
            for text_row, entry_row, tier, score in zip(*columns, strict=True):
                text, entry = texts[text_row], tables.entry_blobs.entry(entry_row)
                read = reads[text.read_row]
                if not applies_to(entry, read, days):
                    continue
                if text.original and not _is_umlaut_written_out(text.original, entry, tier):
                    continue
                surest = FOLDED_TIER if text.original else tier
                pair = _Pair(text_row, entry, tables.listed_text(entry_row), max(tier, surest), score)
                districts = compare_districts(text.plate, read, entry)
                if districts is None or not districts.are_different:
                    yield pair
                elif _can_be_near(pair, codes):
                    rows = np.array([text_row]), np.array([entry_row])
                    [near] = self.likelihood.score_of_other_district(codes, rows[0], tables.plates.plates, rows[1])
                    if near >= self.likelihood.least_score("near"):
                        yield pair._replace(tier=NEAR_TIER, score=float(near))

    def _search(self, texts: PlateCodes) -> Iterator[tuple[IndexTables, MatchedPairs]]:
        pairs = self.snapshot.search(texts, self.likelihood)
        if self.is_removed is not None:
            pairs = pairs.where(~self.is_removed[pairs.entry_rows])
        yield self.snapshot, pairs
        if self.delta is not None:
            yield self.delta, self.delta.search(texts, self.likelihood)

    @property
    def _delta_entries(self) -> EntryBlobs | tuple[()]:
        return self.delta.entry_blobs if self.delta else ()

    def _encoded_delta_entries(self) -> Iterable[EncodedEntry]:
        return self.delta.entry_blobs.encoded_entries() if self.delta else ()


def _vehicle_count(entry_blobs: EntryBlobs, is_removed: NDArray[np.bool_] | None = None) -> int:
    """Return how many entries of an index stand for vehicles; scores depend on this number.

    The canary does not count. Otherwise scores would differ from a dry run, whose list has no canary.
    """
    canary_rows = entry_blobs.rows_of([canary.ENTRY_ID])
    if is_removed is None:
        return len(entry_blobs) - len(canary_rows)
    return len(entry_blobs) - int(is_removed.sum()) - int((~is_removed[canary_rows]).sum())


def _can_be_near(pair: _Pair, codes: PlateCodes) -> bool:
    """Return whether a pair may still match, as `near`, when the read shows another district than the list."""
    is_an_edit_apart = pair.tier > FOLDED_TIER or codes.lengths[pair.text_row] != len(pair.listed_as)
    return not is_an_edit_apart and WIDEST_TIERS.get(pair.entry.tolerance, NEAR_TIER) >= NEAR_TIER


def _is_umlaut_written_out(original: str, entry: Entry, tier: int) -> bool:
    """Return whether a read whose umlauts are written otherwise is the listed plate, as `folded` at best."""
    is_allowed = tier <= FOLDED_TIER <= WIDEST_TIERS.get(entry.tolerance, NEAR_TIER)
    return is_allowed and not is_pattern(entry.plate) and umlauts.is_same_plate(original, entry.plate)


def texts_of(reads: Sequence[PlateReading]) -> list[ReadText]:
    """Return the texts of the reads: first each read's own, then all candidates, then all with other umlauts."""
    # The decoder has dropped a plate that cannot be one, for instance the word UNKNOWN; its candidates still count.
    texts = [
        ReadText(row, "" if "plate" in read.dropped_fields else read.plate, read.confidence, is_candidate=False)
        for row, read in enumerate(reads)
    ]
    texts += [
        ReadText(row, candidate.plate, candidate.confidence, is_candidate=True)
        for row, read in enumerate(reads)
        for candidate in read.candidates
    ]
    texts += [
        text._replace(plate=other, original=text.plate)
        for text in texts
        if umlauts.may_be_written_otherwise(text.plate)
        for other in umlauts.written_otherwise(text.plate)
    ]
    return texts


def encode_texts(texts: Sequence[ReadText], reads: Sequence[PlateReading]) -> PlateCodes:
    """Encode the texts of the reads, each with its confidences."""
    return encode_plates(
        [text.plate for text in texts],
        [reads[text.read_row].country for text in texts],
        [text.confidence for text in texts],
        [() if text.is_candidate or text.original else reads[text.read_row].char_confidences for text in texts],
        [text.is_candidate for text in texts],
    )


def applies_to(entry: Entry, read: Read, days: LocalDays) -> bool:
    """Return whether the entry is meant for this read: its time of capture at its site, its site and its direction.

    A direction that the camera did not give excludes nothing. Nor does a direction, of the camera or the list, that
    this version does not know.
    """
    if read.captured_at is not None and not days.is_valid_at(entry, read.site, read.captured_at):
        return False
    if entry.sites and read.site not in entry.sites:
        return False
    are_known = read.direction in DIRECTIONS and all(direction in DIRECTIONS for direction in entry.directions)
    return not (entry.directions and are_known and read.direction not in entry.directions)
