"""The index: one state of the watchlist, laid out so that a batch of reads finds its entries in one pass.

An index never changes. A new list is a new index, put in place by one assignment, so no read sees half of one. A
small change of a large list is a new index too: it shares the tables of the old one (the *base*), knows which of
their rows are no longer in force, and has tables of its own for what was put in their place (the *overlay*).

What does not depend on the plate (validity, sites, directions) is tested last, on the few entries found.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.contracts import canary
from anpr.contracts.events import DIRECTIONS, TIERS, Entry, Explanation, Generation, Read
from anpr.contracts.plates import canonical_pattern, is_pattern
from anpr.matching.encoding.encoded_entry import EncodedEntry, encoded
from anpr.matching.encoding.entry_blobs import EntryBlobs
from anpr.matching.encoding.plate_codes import PlateCodes, encode_plates
from anpr.matching.explain import explain
from anpr.matching.lookup.hash_table import Rows
from anpr.matching.lookup.patterns import PatternTable
from anpr.matching.lookup.plate_table import NEAR, PATTERN, WIDEST, Found, PlateTable
from anpr.matching.scoring.likelihood import WRONG_COUNTRY_SHARE, Likelihood, candidate_shares

# With more changes than these an overlay takes longer to make anew than a change may take to be in force.
MERGE_AFTER_CHANGES = 10_000
# A read that fits a pattern is what is listed if it was read rightly, which cameras that do not say how sure they are
# do about this often.
UNTOLD_CONFIDENCE = np.float32(0.9)


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that a read matches, with the tier, the score (0..1) and the reasons."""

    entry: Entry
    tier: str
    score: float
    explanation: Explanation

    @property
    def plate(self) -> str:
        """The vehicle's plate in its canonical form: the listed one; for a pattern, which has none, the one read."""
        return self.explanation.read_as if self.tier == "pattern" else self.explanation.listed_as


@dataclass(frozen=True, slots=True)
class Tables:
    """A list of entries as tables: row `n` of the plates is entry `n` of the bodies. A pattern's has none."""

    plates: PlateTable
    patterns: PatternTable
    bodies: EntryBlobs

    @classmethod
    def build(cls, entries: Iterable[Entry]) -> "Tables":
        """Lay the entries out."""
        return cls.build_encoded(encoded(entries))

    @classmethod
    def build_encoded(cls, entries: Iterable[EncodedEntry]) -> "Tables":
        """Lay entries out that are encoded already."""
        texts: list[str] = []
        countries: list[str | None] = []
        widest: list[int] = []
        patterns: dict[int, str] = {}

        def noted() -> Iterator[EncodedEntry]:
            for row, (entry, body) in enumerate(entries):
                if is_pattern(entry.plate):
                    patterns[row] = canonical_pattern(entry.plate)
                texts.append("" if row in patterns else entry.plate)
                countries.append(entry.country)
                widest.append(WIDEST.get(entry.tolerance, NEAR))
                yield entry, body

        bodies = EntryBlobs.build(noted())
        of_plates = PlateTable.build(encode_plates(texts, countries), np.array(widest, np.uint8))
        return cls(of_plates, PatternTable.build(list(patterns), list(patterns.values())), bodies)

    def search(self, reads: PlateCodes, likelihood: Likelihood) -> Found:
        """Return every match of a plate or a pattern, each pair once, in no order."""
        found = self.plates.search(reads, likelihood)
        which, rows = self.patterns.search(reads)
        if not len(which):
            return found
        told = reads.confidences[which]
        scores = np.where(np.isnan(told), UNTOLD_CONFIDENCE, told)
        if reads.are_candidates is not None:
            scores = np.where(reads.are_candidates[which], candidate_shares(told), scores)
        of_read, of_entry = reads.countries[which], self.plates.entries.countries[rows]
        is_other_country = (of_read != of_entry) & (of_read != 0) & (of_entry != 0)
        scores *= np.where(is_other_country, np.float32(WRONG_COUNTRY_SHARE), np.float32(1))
        return Found.together([found, Found(which, rows, np.full(len(rows), PATTERN, np.uint8), scores)])

    def listed(self, row: int) -> str:
        """Return the canonical plate or pattern of a row."""
        return self.plates.entries.text(row) or canonical_pattern(self.bodies.entry(row).plate)


class Text(NamedTuple):
    """One of the texts of a read: `of_read` is the read's place in its batch; a candidate has its own confidence."""

    of_read: int
    plate: str
    confidence: float | None
    is_candidate: bool


@dataclass(frozen=True)
class Index:
    """One generation of the watchlist, ready to be matched against.

    `gone` are the rows of the base that are out of force, in order; `is_gone` tells it of each row.
    """

    generation: Generation
    base: Tables
    gone: Rows
    is_gone: NDArray[np.bool_] | None
    overlay: Tables | None
    likelihood: Likelihood

    @classmethod
    def build(cls, entries: Iterable[Entry], generation: Generation) -> "Index":
        """Lay the entries out as the base of a generation."""
        return cls.of(Tables.build(entries), generation)

    @classmethod
    def build_encoded(cls, entries: Iterable[EncodedEntry], generation: Generation) -> "Index":
        """Lay entries out that are encoded already."""
        return cls.of(Tables.build_encoded(entries), generation)

    @classmethod
    def of(cls, base: Tables, generation: Generation) -> "Index":
        """Return the index of tables that are there already, as those of a file."""
        return cls(generation, base, np.empty(0, np.intp), None, None, Likelihood(_vehicles(base.bodies)))

    @property
    def size(self) -> int:
        """The number of entries."""
        return len(self.base.bodies) - len(self.gone) + len(self._put)

    @property
    def changes(self) -> int:
        """How much has changed since the base was built."""
        return len(self.gone) + len(self._put)

    @property
    def is_merge_due(self) -> bool:
        """Whether so much has changed that a fresh build of `entries()` should replace this index."""
        return self.changes > MERGE_AFTER_CHANGES

    def entries(self) -> Iterator[Entry]:
        """Return the entries in force, in no order that means anything."""
        for row, entry in enumerate(self.base.bodies):
            if self.is_gone is None or not self.is_gone[row]:
                yield entry
        yield from self._put

    def encoded(self) -> Iterator[EncodedEntry]:
        """Return the entries in force as they are kept: what a merge is built of."""
        for row, entry in enumerate(self.base.bodies.as_kept()):
            if self.is_gone is None or not self.is_gone[row]:
                yield entry
        yield from self._put_as_kept()

    def with_changes(self, put: Iterable[Entry], removed: Iterable[str], generation: Generation) -> "Index":
        """Return the index after a change: `removed` ids leave the list, then `put` entries come or replace theirs.

        It costs by the number of changes since the base was built, not by its size.
        """
        new = {entry.entry_id: entry for entry in put}
        no_more = new.keys() | set(removed)
        stay = (one for one in self._put_as_kept() if one[0].entry_id not in no_more)
        changed = [*stay, *encoded(new.values())]
        gone = np.union1d(self.gone, self.base.bodies.rows_of(no_more))
        return self.with_overlay(gone, Tables.build_encoded(changed) if changed else None, generation)

    def with_overlay(self, gone: Rows, overlay: Tables | None, generation: Generation) -> "Index":
        """Return the index on the same base, with these rows of it out of force and this overlay in their place."""
        rows = len(self.base.bodies)
        is_gone = np.zeros(rows, bool)
        is_gone[gone] = True
        vehicles = _vehicles(self.base.bodies, is_gone) + (_vehicles(overlay.bodies) if overlay else 0)
        return Index(generation, self.base, gone, is_gone, overlay, Likelihood(vehicles))

    def match(self, reads: Sequence[Read]) -> list[list[Match]]:
        """Return for each read, in their order, the entries that it matches, in order of `entry_id`.

        The text that matches in the surest tier explains it. The score is the highest of all its texts: that a camera
        also thinks, with little faith, of the very plate makes the vehicle no less likely.
        """
        texts = _texts_of(reads)
        packed = _packed(texts, reads)
        best: defaultdict[int, dict[str, tuple[tuple[int, float, int], Match]]] = defaultdict(dict)
        for tables, found in self._found(packed):
            rows = (found.reads.tolist(), found.entries.tolist(), found.tiers.tolist(), found.scores.tolist())
            for at, row, tier, whole_score in zip(*rows, strict=True):
                text = texts[at]
                entry, read = tables.bodies.entry(row), reads[text.of_read]
                if not in_force(entry, read):
                    continue
                score = round(whole_score, 4)
                rank = (tier, -whole_score, at)
                known = best[text.of_read].get(entry.entry_id)
                if known is None or rank < known[0]:
                    listed = tables.listed(row)
                    candidate = text.plate if text.is_candidate else None
                    why = explain(packed.text(at), listed, read, entry, candidate=candidate)
                    highest = max(score, known[1].score if known else 0.0)
                    best[text.of_read][entry.entry_id] = rank, Match(entry, TIERS[tier], highest, why)
                elif score > known[1].score:
                    best[text.of_read][entry.entry_id] = known[0], replace(known[1], score=score)
        matches: list[list[Match]] = [[] for _ in reads]
        for place, of_read in best.items():
            matches[place] = sorted((match for _, match in of_read.values()), key=attrgetter("entry.entry_id"))
        return matches

    def rows(self, texts: Sequence[str], countries: Sequence[str | None]) -> Found:
        """Return the rows of the texts and of the entries that match, whenever and wherever they are in force.

        Rows of the overlay follow those of the base. This is all that a match costs but reading it out.
        """
        founds, first = [], 0
        for tables, found in self._found(encode_plates(texts, countries)):
            founds.append(replace(found, entries=found.entries + first))
            first += len(tables.bodies)
        return founds[0] if len(founds) == 1 else Found.together(founds)

    def _found(self, reads: PlateCodes) -> Iterator[tuple[Tables, Found]]:
        found = self.base.search(reads, self.likelihood)
        if self.is_gone is not None:
            found = found.where(~self.is_gone[found.entries])
        yield self.base, found
        if self.overlay is not None:
            yield self.overlay, self.overlay.search(reads, self.likelihood)

    @property
    def _put(self) -> EntryBlobs | tuple[()]:
        return self.overlay.bodies if self.overlay else ()

    def _put_as_kept(self) -> Iterable[EncodedEntry]:
        return self.overlay.bodies.as_kept() if self.overlay else ()


def _vehicles(bodies: EntryBlobs, is_gone: NDArray[np.bool_] | None = None) -> int:
    """Return how many entries in force stand for vehicles: by these a score is reckoned.

    The canary is none. With it a score would be another than offline, where a list has no canary.
    """
    of_canary = bodies.rows_of([canary.ENTRY_ID])
    if is_gone is None:
        return len(bodies) - len(of_canary)
    return len(bodies) - int(is_gone.sum()) - int((~is_gone[of_canary]).sum())


def _texts_of(reads: Sequence[Read]) -> list[Text]:
    """Return the texts of the reads, as read before candidates."""
    texts = [Text(at, read.plate, read.confidence, is_candidate=False) for at, read in enumerate(reads)]
    texts += [
        Text(at, candidate.plate, candidate.confidence, is_candidate=True)
        for at, read in enumerate(reads)
        for candidate in read.candidates
    ]
    return texts


def _packed(texts: Sequence[Text], reads: Sequence[Read]) -> PlateCodes:
    return encode_plates(
        [text.plate for text in texts],
        [reads[text.of_read].country for text in texts],
        [text.confidence for text in texts],
        [() if text.is_candidate else reads[text.of_read].char_confidences for text in texts],
        [text.is_candidate for text in texts],
    )


def in_force(entry: Entry, read: Read) -> bool:
    """Tell whether the entry is meant for this read: its time of capture, its site and its direction.

    A direction that the camera did not give rules nothing out, nor does a word of the camera or the list that is
    unknown here.
    """
    captured_at = read.captured_at
    if captured_at is not None:
        if captured_at >= entry.valid_until:
            return False
        if entry.valid_from is not None and captured_at < entry.valid_from:
            return False
    if entry.sites and read.site not in entry.sites:
        return False
    known = read.direction in DIRECTIONS and all(direction in DIRECTIONS for direction in entry.directions)
    return not (entry.directions and known and read.direction not in entry.directions)
