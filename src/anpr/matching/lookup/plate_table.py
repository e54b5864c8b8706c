"""The listed plates, laid out so that a batch of reads finds those it may be: all tiers but patterns in one pass.

Theory of operation. Two tables, both of folded keys (what recognisers confuse is one character in them):

- `same` files each plate under its key. It finds the tiers `exact`, `equivalent` and `folded` in one look-up,
  for plates equal by the narrower rules are equal by the wider; comparing the plates themselves tells which it is.
  It is asked once more for reads that may begin with their country's badge, without that.
- `near` files each plate that is listed with that tolerance under its key and every key one deletion away
  (`lookup.edits`). Only reads for which the likelihood says it is worth it look there: there the time goes.

What is found is compared, then weighed; a folded or near pair below the least score is no match.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import TIERS
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES
from anpr.matching.encoding.plate_codes import (
    EQUIVALENT,
    FOLDED,
    UNREADABLE,
    Bytes,
    PlateCodes,
    Words,
    mapped,
    words_of,
)
from anpr.matching.lookup.edits import deletions, one_edit_apart
from anpr.matching.lookup.hash_table import HashTable, Rows, hashed
from anpr.matching.scoring.likelihood import Likelihood

EXACT, EQUIVALENT_TIER, FOLDED_TIER, NEAR, PATTERN = range(len(TIERS))
# The widest tier that each tolerance allows; one that this version does not know is taken at its widest.
WIDEST: Final = {"exact": EXACT, "tolerant": FOLDED_TIER, "near": NEAR}
_NO_PAIRS: Final = (np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.uint8))
# Entries are filed this many at a time, so that what is worked on stays in the processor's cache.
_PIECE = 1 << 14


# Rows of reads, rows of entries, tiers.
Pairs = tuple[Rows, Rows, Bytes]


@dataclass(frozen=True, slots=True)
class Found:
    """Matches as arrays of one length: rows of the reads and of the entries, tier (a place in TIERS) and score."""

    reads: Rows
    entries: Rows
    tiers: Bytes
    scores: NDArray[np.float32]

    def where(self, wanted: NDArray[np.bool_]) -> "Found":
        """Return the matches for which `wanted` is true."""
        return Found(self.reads[wanted], self.entries[wanted], self.tiers[wanted], self.scores[wanted])

    def numbers(self, entries: int) -> Rows:
        """Return a number for each pair of a read and one of so many entries."""
        return self.reads * entries + self.entries

    @classmethod
    def together(cls, founds: Sequence["Found"]) -> "Found":
        """Return the matches of all."""
        return cls(
            np.concatenate([found.reads for found in founds]),
            np.concatenate([found.entries for found in founds]),
            np.concatenate([found.tiers for found in founds]),
            np.concatenate([found.scores for found in founds]),
        )


_NOTHING_FOUND: Final = Found(*_NO_PAIRS, np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class PlateTable:
    """`entries` with, for each, the widest tier that it allows, and the two tables."""

    entries: PlateCodes
    widest: Bytes
    same: HashTable
    near: HashTable

    @classmethod
    def build(cls, entries: PlateCodes, widest: Bytes) -> "PlateTable":
        """File the entries. What is no plate is kept, so that rows stay what they are, and never found."""
        usable = np.flatnonzero((entries.lengths > 0) & (entries.codes != UNREADABLE).all(axis=1))
        wide = usable[widest[usable] >= NEAR]
        with_deletions = int(entries.lengths[wide].sum(dtype=np.int64)) + len(wide)
        count = len(entries)
        return cls(
            entries,
            widest,
            HashTable.build(_keys(entries, usable), count, len(usable)),
            HashTable.build(_keys_and_deletions(entries, wide), count, with_deletions),
        )

    def search(self, reads: PlateCodes, likelihood: Likelihood) -> Found:
        """Return every match, each pair once, in no order."""
        folded = mapped(reads.codes, FOLDED)
        alike = self.alike(reads, folded)
        near = self._near(reads, folded, likelihood) if len(self.near.postings) else _NO_PAIRS
        found = self._weighed(reads, alike, near, likelihood)
        badged = self._badged(reads, likelihood)
        if badged is None:
            return found
        # What is one letter too many may be a badge: that is the surer explanation.
        again = np.isin(found.numbers(len(self.entries)), badged.numbers(len(self.entries)))
        return Found.together([found.where(~again), badged])

    def _badged(self, reads: PlateCodes, likelihood: Likelihood) -> Found | None:
        """Return the matches of reads without the badge that they begin with: `folded`, or if less sure `near`."""
        taken_off = COUNTRY_PREFIXES.taken_off(reads)
        if taken_off is None:
            return None
        of_reads, plates = taken_off
        which, rows, _ = self.alike(plates, mapped(plates.codes, FOLDED))
        if not len(which):
            return None
        of_reads = of_reads[which]
        sure, least = (likelihood.least_score(TIERS[tier]) for tier in (FOLDED_TIER, NEAR))
        scores = likelihood.score_with_badge(reads, plates.take(which), of_reads, self.entries, rows, least)
        tiers = np.where(scores >= sure, FOLDED_TIER, NEAR).astype(np.uint8)
        return Found(of_reads, rows, tiers, scores).where((scores >= least) & (tiers <= self.widest[rows]))

    def _weighed(self, reads: PlateCodes, alike: Pairs, near: Pairs, likelihood: Likelihood) -> Found:
        """Return the pairs that the entries' tolerance and the scores allow."""
        if not len(alike[0]) + len(near[0]):
            return _NOTHING_FOUND
        which, rows = np.concatenate([alike[0], near[0]]), np.concatenate([alike[1], near[1]])
        tiers = np.concatenate([alike[2], near[2]])
        allowed = (tiers <= self.widest[rows]).nonzero()[0]
        which, rows, tiers = which[allowed], rows[allowed], tiers[allowed]
        if not len(rows):
            return Found(which, rows, tiers, np.zeros(0, np.float32))
        least = likelihood.least_scores[tiers]
        scores = likelihood.score(reads, which, self.entries, rows, least)
        return Found(which, rows, tiers, scores).where(scores >= least)

    def alike(self, reads: PlateCodes, folded: Bytes) -> Pairs:
        """Return the pairs of equal folded keys, and their tiers, whatever the entries tolerate."""
        which, rows = self.same.find(_hashes(folded, reads.longest))
        if not len(which):
            return _NO_PAIRS
        listed = self.entries.codes.take(rows, axis=0)
        alike = _equal(folded.take(which, axis=0), mapped(listed, FOLDED)).nonzero()[0]
        which, rows, listed = which[alike], rows[alike], listed.take(alike, axis=0)
        read = reads.codes.take(which, axis=0)
        tiers = np.full(len(rows), FOLDED_TIER, np.uint8)
        tiers -= _equal(mapped(read, EQUIVALENT), mapped(listed, EQUIVALENT))
        tiers -= _equal(read, listed)
        return which, rows, tiers

    def _near(self, reads: PlateCodes, folded: Bytes, likelihood: Likelihood) -> Pairs:
        """Return the pairs whose folded keys are one edit apart, of reads that are worth it, and their tier."""
        asked, ways = _true(likelihood.worth_searching(reads))
        if not len(asked):
            return _NO_PAIRS
        which, rows = self.near.find(deletions(folded, asked, ways, reads.longest))
        if not len(which):
            return _NO_PAIRS
        which = asked.take(which)
        listed = mapped(self.entries.codes.take(rows, axis=0), FOLDED)
        lengths, listed_lengths = reads.lengths.take(which), self.entries.lengths.take(rows)
        near = one_edit_apart(folded.take(which, axis=0), listed, lengths, listed_lengths).nonzero()[0]
        if not len(near):
            return _NO_PAIRS
        pairs = which[near] * len(self.entries) + rows[near]
        pairs.sort()
        first_of_its_kind = np.ones(len(pairs), bool)
        np.not_equal(pairs[1:], pairs[:-1], out=first_of_its_kind[1:])
        pairs = pairs[first_of_its_kind]
        which = pairs // len(self.entries)
        return which, pairs - which * len(self.entries), np.full(len(pairs), NEAR, np.uint8)


def _true(table: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Return rows and columns of what is true."""
    places = table.ravel().nonzero()[0]
    rows = places // table.shape[1]
    return rows, places - rows * table.shape[1]


def _equal(some: Bytes, others: Bytes) -> NDArray[np.bool_]:
    words, other_words = words_of(some), words_of(others)
    return np.asarray((words[:, 0] == other_words[:, 0]) & (words[:, 1] == other_words[:, 1]))


def _hashes(folded: Bytes, longest: int) -> Words:
    words = words_of(folded)
    return hashed(words[:, 0], words[:, 1] if longest > 8 else None)


def _keys(entries: PlateCodes, rows: Rows) -> Iterator[tuple[Words, Rows]]:
    for start in range(0, len(rows), _PIECE):
        piece = rows[start : start + _PIECE]
        yield _hashes(mapped(entries.codes[piece], FOLDED), entries.longest), piece


def _keys_and_deletions(entries: PlateCodes, rows: Rows) -> Iterator[tuple[Words, Rows]]:
    for start in range(0, len(rows), _PIECE):
        lengths = entries.lengths[rows[start : start + _PIECE]]
        for part in ((lengths <= 8).nonzero()[0], (lengths > 8).nonzero()[0]):
            piece, longest = rows[start : start + _PIECE][part], int(lengths[part].max(initial=0))
            plates, ways = _true(lengths[part, None] >= np.arange(1 + longest))
            yield deletions(mapped(entries.codes[piece], FOLDED), plates, ways, longest), piece[plates]
