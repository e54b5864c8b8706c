"""The listed plates as tables that find the entries of a batch of reads: all tiers but patterns in one pass.

There are two hash tables. Their keys are folded plates: characters that recognisers confuse become one character.

- `by_key` holds each plate under its key. One look-up finds the tiers `exact`, `equivalent` and `folded`, because
  plates that are equal by a narrower rule are equal by a wider one. Comparing the plates then gives the tier. Reads
  that may begin with a country prefix are looked up once more without it, and so are the plates that a text in a
  rare layout may hold (`encoding.inner_plates`).
- `by_deletion` holds each plate that is listed with tolerance `near`, under its key and under every key one deletion
  away (`lookup.edits`). Nearly all of the time goes here, so only those reads are looked up for which the likelihood
  says that a match could score enough.

The pairs found are compared, then scored. A folded or near pair below the least score of its tier is no match.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import TIERS
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES
from anpr.matching.encoding.inner_plates import INNER_PLATES
from anpr.matching.encoding.known_layouts import KNOWN_LAYOUTS
from anpr.matching.encoding.plate_codes import (
    TO_EQUIVALENT,
    TO_FOLDED,
    UNREADABLE,
    Codes,
    PlateCodes,
    Words,
    translated,
    words_of,
)
from anpr.matching.lookup.edits import deletion_hashes, one_edit_apart
from anpr.matching.lookup.hash_table import HashTable, Rows, hash_words
from anpr.matching.scoring.likelihood import Likelihood

EXACT_TIER, EQUIVALENT_TIER, FOLDED_TIER, NEAR_TIER, PATTERN_TIER = range(len(TIERS))
# The widest tier that each tolerance allows. A tolerance that this version does not know allows the widest.
WIDEST_TIERS: Final = {"exact": EXACT_TIER, "tolerant": FOLDED_TIER, "near": NEAR_TIER}
_NO_PAIRS: Final = (np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.uint8))
# Entries are added this many at a time, so that the working arrays stay in the processor's cache.
_PIECE = 1 << 14


# Rows of reads, rows of entries, tiers.
Pairs = tuple[Rows, Rows, NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class MatchedPairs:
    """Matches as arrays of one length: rows of reads, rows of entries, tiers (positions in TIERS) and scores."""

    read_rows: Rows
    entry_rows: Rows
    tiers: NDArray[np.uint8]
    scores: NDArray[np.float32]

    def where(self, is_wanted: NDArray[np.bool_]) -> "MatchedPairs":
        """Return the matches whose flag is true."""
        return MatchedPairs(
            self.read_rows[is_wanted], self.entry_rows[is_wanted], self.tiers[is_wanted], self.scores[is_wanted]
        )

    def pair_numbers(self, entry_count: int) -> Rows:
        """Return one number for each pair of a read and one of `entries` entries."""
        return self.read_rows * entry_count + self.entry_rows

    @classmethod
    def concatenated(cls, parts: Sequence["MatchedPairs"]) -> "MatchedPairs":
        """Return the matches of all parts."""
        return cls(
            np.concatenate([part.read_rows for part in parts]),
            np.concatenate([part.entry_rows for part in parts]),
            np.concatenate([part.tiers for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )


_NO_MATCHES: Final = MatchedPairs(*_NO_PAIRS, np.zeros(0, np.float32))


@dataclass(frozen=True, slots=True)
class PlateTable:
    """The listed plates, the widest tier that each allows, and the two hash tables."""

    plates: PlateCodes
    widest_tiers: NDArray[np.uint8]
    by_key: HashTable
    by_deletion: HashTable

    @classmethod
    def build(cls, plates: PlateCodes, widest_tiers: NDArray[np.uint8]) -> "PlateTable":
        """Build the tables. A text that is no plate keeps its row, so that rows stay those of the entries."""
        usable = np.flatnonzero((plates.lengths > 0) & (plates.codes != UNREADABLE).all(axis=1))
        near_rows = usable[widest_tiers[usable] >= NEAR_TIER]
        key_count = int(plates.lengths[near_rows].sum(dtype=np.int64)) + len(near_rows)
        return cls(
            plates,
            widest_tiers,
            HashTable.build(_keys(plates, usable), len(plates), len(usable)),
            HashTable.build(_keys_and_deletions(plates, near_rows), len(plates), key_count),
        )

    def search(self, reads: PlateCodes, likelihood: Likelihood) -> MatchedPairs:
        """Return every match, each pair once, in no particular order."""
        folded = translated(reads.codes, TO_FOLDED)
        same_key = self.same_key_pairs(reads, folded)
        near = self._near_pairs(reads, folded, likelihood) if len(self.by_deletion.slots) else _NO_PAIRS
        matched = self._score_pairs(reads, same_key, near, likelihood)
        inside = [self._search_without_prefix(reads, likelihood), self._search_inner_plates(reads, likelihood)]
        found_inside = [found for found in inside if found is not None and len(found.read_rows)]
        return self._surest([matched, *found_inside]) if found_inside else matched

    def _surest(self, found: Sequence[MatchedPairs]) -> MatchedPairs:
        """Return each pair once, however many ways explain it: in the surest tier, with the highest score of it."""
        matched = MatchedPairs.concatenated(found)
        numbers = matched.pair_numbers(len(self.plates))
        order = np.lexsort((-matched.scores, matched.tiers, numbers))
        is_first = np.ones(len(order), bool)
        np.not_equal(numbers[order[1:]], numbers[order[:-1]], out=is_first[1:])
        is_surest = np.zeros(len(order), bool)
        is_surest[order[is_first]] = True
        return matched.where(is_surest)

    def _search_without_prefix(self, reads: PlateCodes, likelihood: Likelihood) -> MatchedPairs | None:
        """Return the matches of reads without their country prefix: `folded`, or `near` where less probable."""
        stripped = COUNTRY_PREFIXES.strip(reads)
        if stripped is None:
            return None
        prefixed_rows, plates = stripped
        plate_rows, entry_rows, _ = self.same_key_pairs(plates, translated(plates.codes, TO_FOLDED))
        if not len(plate_rows):
            return None
        read_rows = prefixed_rows[plate_rows]
        least_folded, least_near = (likelihood.least_score(TIERS[tier]) for tier in (FOLDED_TIER, NEAR_TIER))
        shares = np.full(len(read_rows), likelihood.prefix_share)
        scores = likelihood.score_inside(
            reads, plates.take(plate_rows), shares, read_rows, self.plates, entry_rows, least_near
        )
        tiers = np.where(scores >= least_folded, FOLDED_TIER, NEAR_TIER).astype(np.uint8)
        is_match = (scores >= least_near) & (tiers <= self.widest_tiers[entry_rows])
        return MatchedPairs(read_rows, entry_rows, tiers, scores).where(is_match)

    def _search_inner_plates(self, reads: PlateCodes, likelihood: Likelihood) -> MatchedPairs | None:
        """Return the matches of plates inside reads, all `near`: what is taken off may be part of a plate."""
        inner = INNER_PLATES.find(reads) if len(self.by_deletion.slots) else None
        if inner is None:
            return None
        folded = translated(inner.plates.codes, TO_FOLDED)
        plate_rows, entry_rows, _ = self.same_key_pairs(inner.plates, folded)
        misread = inner.may_be_misread.nonzero()[0]
        near_rows, near_entry_rows, _ = self._near_pairs(inner.plates.take(misread), folded[misread], likelihood)
        plate_rows = np.concatenate([plate_rows, misread[near_rows]])
        entry_rows = np.concatenate([entry_rows, near_entry_rows])
        is_allowed = self.widest_tiers[entry_rows] >= NEAR_TIER
        layouts = self.plates.take(entry_rows).layouts
        is_known = KNOWN_LAYOUTS.have(inner.plates.countries[plate_rows], layouts)
        allowed = (is_allowed & (is_known | ~inner.have_known_layout[plate_rows])).nonzero()[0]
        plate_rows, entry_rows = plate_rows[allowed], entry_rows[allowed]
        if not len(plate_rows):
            return None
        read_rows, least = inner.read_rows[plate_rows], likelihood.least_score(TIERS[NEAR_TIER])
        plates, shares = inner.plates.take(plate_rows), inner.shares[plate_rows]
        scores = likelihood.score_inside(reads, plates, shares, read_rows, self.plates, entry_rows, least)
        tiers = np.full(len(scores), NEAR_TIER, np.uint8)
        return MatchedPairs(read_rows, entry_rows, tiers, scores).where(scores >= least)

    def _score_pairs(self, reads: PlateCodes, same_key: Pairs, near: Pairs, likelihood: Likelihood) -> MatchedPairs:
        """Return the pairs that the entries' tolerances and the least scores allow."""
        if not len(same_key[0]) + len(near[0]):
            return _NO_MATCHES
        read_rows, entry_rows = np.concatenate([same_key[0], near[0]]), np.concatenate([same_key[1], near[1]])
        tiers = np.concatenate([same_key[2], near[2]])
        allowed = (tiers <= self.widest_tiers[entry_rows]).nonzero()[0]
        read_rows, entry_rows, tiers = read_rows[allowed], entry_rows[allowed], tiers[allowed]
        if not len(entry_rows):
            return MatchedPairs(read_rows, entry_rows, tiers, np.zeros(0, np.float32))
        least_scores = likelihood.least_scores[tiers]
        scores = likelihood.score(reads, read_rows, self.plates, entry_rows, least_scores)
        return MatchedPairs(read_rows, entry_rows, tiers, scores).where(scores >= least_scores)

    def same_key_pairs(self, reads: PlateCodes, folded: Codes) -> Pairs:
        """Return the pairs of equal folded keys and their tiers, whatever the entries tolerate."""
        read_rows, entry_rows = self.by_key.find(_hashes(folded, reads.longest))
        if not len(read_rows):
            return _NO_PAIRS
        listed = self.plates.codes.take(entry_rows, axis=0)
        same = _are_equal(folded.take(read_rows, axis=0), translated(listed, TO_FOLDED)).nonzero()[0]
        read_rows, entry_rows, listed = read_rows[same], entry_rows[same], listed.take(same, axis=0)
        read = reads.codes.take(read_rows, axis=0)
        tiers = np.full(len(entry_rows), FOLDED_TIER, np.uint8)
        tiers -= _are_equal(translated(read, TO_EQUIVALENT), translated(listed, TO_EQUIVALENT))
        tiers -= _are_equal(read, listed)
        return read_rows, entry_rows, tiers

    def _near_pairs(self, reads: PlateCodes, folded: Codes, likelihood: Likelihood) -> Pairs:
        """Return the pairs whose folded keys are one edit apart, for reads that are worth the search."""
        searched_rows, deletions = _true_cells(likelihood.deletions_to_search(reads))
        if not len(searched_rows):
            return _NO_PAIRS
        hash_positions, entry_rows = self.by_deletion.find(
            deletion_hashes(folded, searched_rows, deletions, reads.longest)
        )
        if not len(hash_positions):
            return _NO_PAIRS
        read_rows = searched_rows.take(hash_positions)
        listed = translated(self.plates.codes.take(entry_rows, axis=0), TO_FOLDED)
        lengths, listed_lengths = reads.lengths.take(read_rows), self.plates.lengths.take(entry_rows)
        near = one_edit_apart(folded.take(read_rows, axis=0), listed, lengths, listed_lengths).nonzero()[0]
        if not len(near):
            return _NO_PAIRS
        # Two plates can meet by several deletions: each pair is kept once.
        pairs = read_rows[near] * len(self.plates) + entry_rows[near]
        pairs.sort()
        is_new = np.ones(len(pairs), bool)
        np.not_equal(pairs[1:], pairs[:-1], out=is_new[1:])
        pairs = pairs[is_new]
        read_rows = pairs // len(self.plates)
        return read_rows, pairs - read_rows * len(self.plates), np.full(len(pairs), NEAR_TIER, np.uint8)


def _true_cells(table: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Return the rows and the columns of the cells that are true."""
    cells = table.ravel().nonzero()[0]
    rows = cells // table.shape[1]
    return rows, cells - rows * table.shape[1]


def _are_equal(left: Codes, right: Codes) -> NDArray[np.bool_]:
    left_words, right_words = words_of(left), words_of(right)
    return np.asarray((left_words[:, 0] == right_words[:, 0]) & (left_words[:, 1] == right_words[:, 1]))


def _hashes(folded: Codes, longest: int) -> Words:
    words = words_of(folded)
    return hash_words(words[:, 0], words[:, 1] if longest > 8 else None)


def _keys(plates: PlateCodes, rows: Rows) -> Iterator[tuple[Words, Rows]]:
    for start in range(0, len(rows), _PIECE):
        piece = rows[start : start + _PIECE]
        yield _hashes(translated(plates.codes[piece], TO_FOLDED), plates.longest), piece


def _keys_and_deletions(plates: PlateCodes, rows: Rows) -> Iterator[tuple[Words, Rows]]:
    for start in range(0, len(rows), _PIECE):
        lengths = plates.lengths[rows[start : start + _PIECE]]
        # Plates of one word are hashed without a second word, so they are handled apart from longer ones.
        for part in ((lengths <= 8).nonzero()[0], (lengths > 8).nonzero()[0]):
            piece, longest = rows[start : start + _PIECE][part], int(lengths[part].max(initial=0))
            plate_rows, deletions = _true_cells(lengths[part, None] >= np.arange(1 + longest))
            folded = translated(plates.codes[piece], TO_FOLDED)
            yield deletion_hashes(folded, plate_rows, deletions, longest), piece[plate_rows]
