"""The listed plates as tables that find the entries of a read: all tiers but patterns in one pass.

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

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import TIERS
from anpr.matching.encoding.columns import Plates, Texts, for_kernels, plates_for_kernels
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES, PrefixTables, prefix_cuts
from anpr.matching.encoding.cuts import CUT, Cuts, cut_codes
from anpr.matching.encoding.inner_plates import INNER_PLATES, InnerTables, WordScratch, inner_cuts
from anpr.matching.encoding.layouts import layout_of
from anpr.matching.encoding.plate_codes import (
    CODE_COUNT,
    TO_EQUIVALENT,
    UNREADABLE,
    WIDTH,
    Codes,
    Lengths,
    PlateCodes,
    Rows,
    Words,
)
from anpr.matching.kernels import as_int, inlined, kernel, machine_code, step
from anpr.matching.lookup.edits import FOLDS, folded_words, one_edit_apart, without
from anpr.matching.lookup.hash_table import HashTable, row_in, slots_of
from anpr.matching.lookup.hashes import hash_words
from anpr.matching.scoring.likelihood import (
    Likelihood,
    ModelTables,
    Text,
    could_reach,
    could_reach_inside,
    is_same_fold,
    is_same_text,
    plate_at,
    score_of,
    score_of_inside,
    text_at,
    units_to_search,
)

EXACT_TIER, EQUIVALENT_TIER, FOLDED_TIER, NEAR_TIER, PATTERN_TIER = range(len(TIERS))
# The widest tier that each tolerance allows. A tolerance that this version does not know allows the widest.
WIDEST_TIERS: Final = {"exact": EXACT_TIER, "tolerant": FOLDED_TIER, "near": NEAR_TIER}
# Entries are added this many at a time, so that the working arrays stay in the processor's cache.
_PIECE = 1 << 14
# A read and an entry that match.
_FIELDS: Final = [("read_row", np.intp), ("entry_row", np.intp), ("tier", np.uint8), ("score", np.float32)]
_PAIR: Final = np.dtype((np.record, _FIELDS))
_Pairs = NDArray[Any]
_USUAL_PAIRS: Final = 256
_hash_of = step(hash_words)


@dataclass(frozen=True, slots=True)
class MatchedPairs:
    """Matches as arrays of one length: rows of reads, rows of entries, tiers (positions in TIERS) and scores."""

    read_rows: Rows
    entry_rows: Rows
    tiers: NDArray[np.uint8]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of matches."""
        return len(self.read_rows)

    def where(self, is_wanted: NDArray[np.bool_]) -> "MatchedPairs":
        """Return the matches whose flag is true."""
        return MatchedPairs(
            self.read_rows[is_wanted], self.entry_rows[is_wanted], self.tiers[is_wanted], self.scores[is_wanted]
        )

    @classmethod
    def of(cls, pairs: _Pairs) -> "MatchedPairs":
        """Return the matches that a kernel has written."""
        return cls(pairs["read_row"], pairs["entry_row"], pairs["tier"], pairs["score"])

    @classmethod
    def concatenated(cls, parts: Sequence["MatchedPairs"]) -> "MatchedPairs":
        """Return the matches of all parts."""
        return cls(
            np.concatenate([part.read_rows for part in parts]),
            np.concatenate([part.entry_rows for part in parts]),
            np.concatenate([part.tiers for part in parts]),
            np.concatenate([part.scores for part in parts]),
        )


class Listed(NamedTuple):
    """What kernels look up in a list."""

    plates: Plates
    widest_tiers: NDArray[np.uint8]
    by_key: HashTable
    by_deletion: HashTable


class Surroundings(NamedTuple):
    """What kernels know about texts around plates, and the equivalent character of each code."""

    prefixes: PrefixTables
    inner: InnerTables
    equivalents: Codes


class SearchScratch(NamedTuple):
    """Arrays that a kernel works in: the plates inside a text, and the one that is looked up."""

    cuts: Cuts
    words: WordScratch
    codes: Codes
    chars: NDArray[np.float32]


class _ThreadScratch(threading.local):
    """Arrays of one thread: other threads may search at the same time."""

    def __init__(self) -> None:
        self.scratch = SearchScratch(
            np.empty(INNER_PLATES.most_cuts, CUT),
            INNER_PLATES.new_scratch(),
            np.empty(WIDTH, np.uint8),
            np.empty(WIDTH, np.float32),
        )
        self.found: _Pairs = np.empty(_USUAL_PAIRS, _PAIR)


_OF_THREAD: Final = _ThreadScratch()
_NO_PAIRS: Final = MatchedPairs.of(np.empty(0, _PAIR))
_SURROUNDINGS: Final = for_kernels(
    Surroundings(COUNTRY_PREFIXES.tables, INNER_PLATES.tables, np.frombuffer(TO_EQUIVALENT, np.uint8)[:CODE_COUNT])
)


@dataclass(frozen=True, slots=True)
class PlateTable:
    """The listed plates, the widest tier that each allows, and the two hash tables."""

    plates: PlateCodes
    widest_tiers: NDArray[np.uint8]
    by_key: HashTable
    by_deletion: HashTable
    listed: Listed = field(init=False)
    # The model with which the list was searched last, and how to search it again.
    known: tuple[ModelTables | None, Callable[..., tuple[int, int]]] = field(init=False)

    def __post_init__(self) -> None:
        """Make the form that kernels take."""
        listed = Listed(plates_for_kernels(self.plates), self.widest_tiers, self.by_key, self.by_deletion)
        object.__setattr__(self, "listed", for_kernels(listed))
        object.__setattr__(self, "known", (None, _search))

    @classmethod
    def build(cls, plates: PlateCodes, widest_tiers: NDArray[np.uint8]) -> "PlateTable":
        """Build the tables. A text that is no plate keeps its row, so that rows stay those of the entries."""
        usable = np.flatnonzero((plates.lengths > 0) & (plates.codes != UNREADABLE).all(axis=1))
        near_rows = usable[widest_tiers[usable] >= NEAR_TIER]
        key_count = int(plates.lengths[near_rows].sum(dtype=np.int64)) + len(near_rows)
        return cls(
            plates,
            widest_tiers,
            HashTable.build(_pieces(plates, usable, with_deletions=False), len(plates), len(usable)),
            HashTable.build(_pieces(plates, near_rows, with_deletions=True), len(plates), key_count),
        )

    def search(self, texts: Texts, likelihood: Likelihood) -> MatchedPairs:
        """Return every match, each pair once, in no particular order."""
        model, row, count = likelihood.tables, 0, 0
        known_model, search = self.known
        if known_model is not model:
            search = _search
        while row < len(texts.lengths):
            found = _OF_THREAD.found
            row, count = search(texts, row, self.listed, model, _SURROUNDINGS, _OF_THREAD.scratch, found, count)
            if row < len(texts.lengths):
                _OF_THREAD.found = np.concatenate([found, np.empty_like(found)])
        if search is _search:
            object.__setattr__(self, "known", (model, machine_code(_search)))
        return MatchedPairs.of(_OF_THREAD.found[:count].copy()) if count else _NO_PAIRS


def _pieces(plates: PlateCodes, rows: Rows, *, with_deletions: bool) -> Iterator[tuple[Words, Rows]]:
    """Yield the hashes of the keys of these plates, and of their deletions, with their rows."""
    codes, lengths = for_kernels(plates.codes), for_kernels(plates.lengths)
    for start in range(0, len(rows), _PIECE):
        piece = rows[start : start + _PIECE]
        size = len(piece) + (int(plates.lengths[piece].sum(dtype=np.int64)) if with_deletions else 0)
        hashes, of_rows = np.empty(size, np.uint64), np.empty(size, np.intp)
        _keys(FOLDS, codes, lengths, for_kernels(piece), with_deletions, hashes, of_rows)
        yield hashes, of_rows


@kernel
def _keys(
    folds: Codes, codes: Codes, lengths: Lengths, rows: Rows, with_deletions: bool, hashes: Words, of_rows: Rows
) -> None:
    count = 0
    for row in rows:
        first, second = folded_words(folds, codes[row])
        hashes[count], of_rows[count] = _hash_of(first, second), row
        count += 1
        if with_deletions:
            for at in range(as_int(lengths[row])):
                left, right = without(first, second, at)
                hashes[count], of_rows[count] = _hash_of(left, right), row
                count += 1


@kernel
def _search(
    texts: Texts,
    begin: int,
    listed: Listed,
    model: ModelTables,
    around: Surroundings,
    scratch: SearchScratch,
    found: _Pairs,
    count: int,
) -> tuple[int, int]:
    """Search one text after the other, from `begin` on. Return the text whose matches had no room."""
    cuts = scratch.cuts
    for row in range(begin, len(texts.lengths)):
        text, first = text_at(texts, row), count
        if text.length == 0:
            continue
        count = _search_text(listed, model, around, text, row, found, count)
        for number in range(prefix_cuts(around.prefixes, text.codes, text.length, row, cuts, 0)):
            inside = _text_of_cut(text, cuts[number], scratch)
            count = _search_behind_prefix(listed, model, text, inside, row, found, count)
        if len(listed.by_deletion.slots):
            country = text.country
            cut_count = inner_cuts(around.inner, text.codes, text.length, country, row, cuts, 0, scratch.words)
            for number in range(min(cut_count, len(cuts))):
                inside = _text_of_cut(text, cuts[number], scratch)
                count = _search_inside(listed, model, around.inner, text, inside, cuts[number], found, count)
        if count > len(found):
            return row, first
        count = _keep_surest(found, first, count)
    return len(texts.lengths), count


@inlined
def _search_text(
    listed: Listed, model: ModelTables, around: Surroundings, text: Text, row: int, found: _Pairs, count: int
) -> int:
    """Add the matches of a text as it stands."""
    first, second = folded_words(model.folds, text.codes)
    key = _hash_of(first, second)
    begin, end = slots_of(listed.by_key, key)
    for slot in range(begin, end):
        entry_row = row_in(listed.by_key, slot, key)
        if entry_row >= 0 and is_same_fold(model.folds, text.codes, listed.plates.codes[entry_row]):
            tier = _tier_of_same_fold(around.equivalents, text.codes, listed.plates.codes[entry_row])
            count = _add_if_match(listed, model, text, row, entry_row, tier, found, count)
    if len(listed.by_deletion.slots):
        least = units_to_search(model, text)
        for deletion in range(text.length + 1):
            if _highest_units(model, text, deletion) <= least:
                continue
            key = _key_without(first, second, deletion)
            begin, end = slots_of(listed.by_deletion, key)
            for slot in range(begin, end):
                entry_row = row_in(listed.by_deletion, slot, key)
                if entry_row >= 0 and _is_near(listed, model, text, entry_row):
                    count = _add_if_match(listed, model, text, row, entry_row, NEAR_TIER, found, count)
    return count


@step
def _highest_units(model: ModelTables, text: Text, deletion: int) -> int:
    """Return an upper bound of `log_misread` for the near matches that a deletion finds.

    Deletion 0 finds plates that fold to the read once they lose one character. Deletion 1 + p finds plates that fold
    to the read without its character p, whether the plate loses one or not. Most characters are hardly ever read
    where one of another fold stands.
    """
    if deletion == 0:
        return model.confusions.log_highest_deletion
    return model.confusions.log_highest_rates[text.codes[deletion - 1]]


@step
def _key_without(first: np.uint64, second: np.uint64, deletion: int) -> np.uint64:
    if deletion > 0:
        first, second = without(first, second, deletion - 1)
    return _hash_of(first, second)


@step
def _is_near(listed: Listed, model: ModelTables, text: Text, entry_row: int) -> bool:
    length = as_int(listed.plates.lengths[entry_row])
    return one_edit_apart(model.folds, text.codes, text.length, listed.plates.codes[entry_row], length)


@step
def _tier_of_same_fold(equivalents: Codes, read: Codes, listed: Codes) -> int:
    if is_same_text(read, listed):
        return EXACT_TIER
    return EQUIVALENT_TIER if is_same_fold(equivalents, read, listed) else FOLDED_TIER


@inlined
def _add_if_match(
    listed: Listed, model: ModelTables, text: Text, row: int, entry_row: int, tier: int, found: _Pairs, count: int
) -> int:
    """Add a pair that the entry's tolerance and the least score allow."""
    plate, least = plate_at(listed.plates, entry_row), model.least_scores[tier]
    if tier <= listed.widest_tiers[entry_row] and could_reach(model, text, plate, least):
        score = score_of(model, text, plate, False)
        if score >= least:
            return _add_pair(found, count, row, entry_row, tier, score)
    return count


@inlined
def _search_behind_prefix(
    listed: Listed, model: ModelTables, text: Text, inside: Text, row: int, found: _Pairs, count: int
) -> int:
    """Add the matches of a text without its country prefix: `folded`, or `near` where less probable."""
    least_folded, least_near = model.least_scores[FOLDED_TIER], model.least_scores[NEAR_TIER]
    first, second = folded_words(model.folds, inside.codes)
    key = _hash_of(first, second)
    begin, end = slots_of(listed.by_key, key)
    for slot in range(begin, end):
        entry_row = row_in(listed.by_key, slot, key)
        if entry_row < 0 or not is_same_fold(model.folds, inside.codes, listed.plates.codes[entry_row]):
            continue
        plate = plate_at(listed.plates, entry_row)
        if could_reach_inside(model, text, inside, model.prefix_share, plate, least_near):
            score = score_of_inside(model, text, inside, model.prefix_share, plate)
            tier = FOLDED_TIER if score >= least_folded else NEAR_TIER
            if score >= least_near and tier <= listed.widest_tiers[entry_row]:
                count = _add_pair(found, count, row, entry_row, tier, score)
    return count


@inlined
def _search_inside(
    listed: Listed,
    model: ModelTables,
    inner: InnerTables,
    text: Text,
    inside: Text,
    cut: Any,
    found: _Pairs,
    count: int,
) -> int:
    """Add the matches of a plate inside a text, all `near`: what is taken off may be part of a plate."""
    first, second = folded_words(model.folds, inside.codes)
    key = _hash_of(first, second)
    begin, end = slots_of(listed.by_key, key)
    for slot in range(begin, end):
        entry_row = row_in(listed.by_key, slot, key)
        if entry_row >= 0 and is_same_fold(model.folds, inside.codes, listed.plates.codes[entry_row]):
            count = _add_if_match_inside(listed, model, inner, text, inside, cut, entry_row, found, count)
    if cut.may_be_misread:
        least = units_to_search(model, inside)
        for deletion in range(inside.length + 1):
            if _highest_units(model, inside, deletion) <= least:
                continue
            key = _key_without(first, second, deletion)
            begin, end = slots_of(listed.by_deletion, key)
            for slot in range(begin, end):
                entry_row = row_in(listed.by_deletion, slot, key)
                if entry_row >= 0 and _is_near(listed, model, inside, entry_row):
                    count = _add_if_match_inside(listed, model, inner, text, inside, cut, entry_row, found, count)
    return count


@step
def _add_if_match_inside(
    listed: Listed,
    model: ModelTables,
    inner: InnerTables,
    text: Text,
    inside: Text,
    cut: Any,
    entry_row: int,
    found: _Pairs,
    count: int,
) -> int:
    plate, least = plate_at(listed.plates, entry_row), model.least_scores[NEAR_TIER]
    if listed.widest_tiers[entry_row] < NEAR_TIER:
        return count
    layout = layout_of(plate.codes, plate.length)
    if cut.has_known_layout and not inner.known_layouts[inner.known_row_of_country[inside.country], layout]:
        return count
    if could_reach_inside(model, text, inside, cut.share, plate, least):
        score = score_of_inside(model, text, inside, cut.share, plate)
        if score >= least:
            return _add_pair(found, count, cut.row, entry_row, NEAR_TIER, score)
    return count


@step
def _text_of_cut(text: Text, cut: Any, scratch: SearchScratch) -> Text:
    """Return the plate inside a text."""
    cut_codes(text.codes, text.char_confidences, cut, scratch.codes, scratch.chars)
    return Text(
        scratch.codes, cut.count, cut.country, text.confidence, scratch.chars, text.is_candidate, text.calibrated
    )


@step
def _add_pair(found: _Pairs, count: int, row: int, entry_row: int, tier: int, score: np.float32) -> int:
    """Write a pair where there is room for it, and return how many there are."""
    if count < len(found):
        pair = found[count]
        pair.read_row = row
        pair.entry_row = entry_row
        pair.tier = tier
        pair.score = score
    return count + 1


@step
def _keep_surest(found: _Pairs, first: int, count: int) -> int:
    """Keep each pair of one text once, however many ways explain it: in the surest tier, with its highest score.

    The pairs are sorted in place, those far apart first (Shell's method), and each is compared with the one before.
    """
    gap = (count - first) // 2
    while gap > 0:
        for number in range(first + gap, count):
            at = number
            while at >= first + gap and _is_before(found[at], found[at - gap]):
                _swap(found, at, at - gap)
                at -= gap
        gap //= 2
    kept = first
    for at in range(first, count):
        if kept == first or found[at].entry_row != found[kept - 1].entry_row:
            found[kept] = found[at]
            kept += 1
    return kept


@step
def _is_before(pair: Any, other: Any) -> bool:
    if pair.entry_row != other.entry_row:
        return pair.entry_row < other.entry_row
    return pair.tier < other.tier or (pair.tier == other.tier and pair.score > other.score)


@step
def _swap(found: _Pairs, at: int, other: int) -> None:
    pair, beside = found[at], found[other]
    pair.entry_row, beside.entry_row = beside.entry_row, pair.entry_row
    pair.tier, beside.tier = beside.tier, pair.tier
    pair.score, beside.score = beside.score, pair.score
