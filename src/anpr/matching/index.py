"""The index: one generation of the watchlist in memory, laid out so that one pass finds the entries of a batch.

An index never changes. A new generation is a new index, activated by one assignment, so no read sees half of one. A
small change of a large list is a new index too. It shares the tables of the old one, its *layers*: the *snapshot*,
and the *deltas* with the entries put since. It marks their rows that have left the list, and has a small delta of its
own besides. A new delta joins those before it as long as they are not much larger, so there are never more than a few
and each entry is copied a few times (docs/adr/0040).

Conditions that do not depend on the plate (validity, sites, directions) are tested last, on the few entries found.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.contracts import canary
from anpr.contracts.events import DIRECTIONS, TIERS, Entry, Explanation, Generation, Read
from anpr.contracts.local_days import UTC_DAYS, LocalDays
from anpr.contracts.plates import as_read, is_pattern
from anpr.matching import umlauts
from anpr.matching.district_match import compare_districts
from anpr.matching.encoding.columns import Texts
from anpr.matching.encoding.encoded_entry import EncodedEntry
from anpr.matching.encoding.plate_codes import PlateCodes, Rows
from anpr.matching.explanation import explain
from anpr.matching.index_tables import IndexTables
from anpr.matching.lookup.plate_table import FOLDED_TIER, NEAR_TIER, WIDEST_TIERS, MatchedPairs
from anpr.matching.read_texts import ReadTexts, texts_of
from anpr.matching.scoring.confidence_calibration import NO_CALIBRATIONS, Calibrations
from anpr.matching.scoring.likelihood import Likelihood

# A delta that is larger than the next one by more than this factor stays as it is. A higher factor makes fewer deltas
# to search, and copies entries more often.
_JOIN_FACTOR = 8
# Deltas up to this size are joined in a millisecond.
_ALWAYS_JOINED = 1000
_NO_ROWS: Final = np.empty(0, np.intp)

# Whether an entry is meant for a read, whatever its plate.
Applies = Callable[[Entry, Read], bool]


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


class _Found(NamedTuple):
    """Some tables of an index, and the pairs of a text and a row of theirs that match."""

    tables: IndexTables
    pairs: MatchedPairs


class _Pair(NamedTuple):
    """A text and an entry that match, the listed text, the tier (a position in TIERS) and the score."""

    text_row: int
    entry: Entry
    listed_as: str
    tier: int
    score: float


class _Best(NamedTuple):
    """The surest pair so far of a read and an entry, and the highest score of all their pairs."""

    pair: _Pair
    score: float

    @property
    def rank(self) -> tuple[int, float]:
        """The lowest is surest."""
        return self.pair.tier, -self.score


@dataclass(frozen=True, slots=True)
class Layer:
    """Tables of an index. `removed_rows` are the rows that have left the list, `is_kept` has a flag for each row."""

    tables: IndexTables
    removed_rows: Rows
    is_kept: NDArray[np.bool_]

    @classmethod
    def of(cls, tables: IndexTables, removed_rows: Rows = _NO_ROWS) -> "Layer":
        """Return the layer of these tables without these rows."""
        is_kept = np.ones(len(tables), bool)
        is_kept[removed_rows] = False
        return cls(tables, removed_rows, is_kept)

    @property
    def size(self) -> int:
        """The number of its entries that are on the list."""
        return len(self.tables) - len(self.removed_rows)

    def without(self, entry_ids: Iterable[str]) -> "Layer":
        """Return the layer without these entries."""
        rows = self.tables.entry_blobs.rows_of(entry_ids)
        return Layer.of(self.tables, np.union1d(self.removed_rows, rows)) if len(rows) else self

    def entries(self) -> Iterator[Entry]:
        """Return its entries that are on the list."""
        return (entry for row, entry in enumerate(self.tables.entry_blobs) if self.is_kept[row])

    def search(self, texts: Texts, likelihood: Likelihood) -> MatchedPairs:
        """Return every match with an entry that is on the list."""
        pairs = self.tables.search(texts, likelihood)
        return pairs.where(self.is_kept[pairs.entry_rows]) if len(self.removed_rows) and len(pairs) else pairs


@dataclass(frozen=True)
class Index:
    """One generation of the watchlist, ready to be matched against.

    `layers` are the snapshot, of `snapshot_generation`, and the deltas, the newest last. The `calibrations` say what
    the confidences of some cameras count as.
    """

    generation: Generation
    snapshot_generation: Generation
    layers: tuple[Layer, ...]
    likelihood: Likelihood
    calibrations: Calibrations = NO_CALIBRATIONS

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
        return cls.of_layers(generation, (Layer.of(snapshot),), generation)

    @classmethod
    def of_layers(cls, snapshot_generation: Generation, layers: tuple[Layer, ...], generation: Generation) -> "Index":
        """Return the index of these layers."""
        return cls(generation, snapshot_generation, layers, Likelihood(_vehicle_count(layers)))

    @property
    def snapshot(self) -> IndexTables:
        """The tables of the snapshot."""
        return self.layers[0].tables

    @property
    def deltas(self) -> tuple[Layer, ...]:
        """The layers of the entries put since the snapshot."""
        return self.layers[1:]

    @property
    def size(self) -> int:
        """The number of entries."""
        return sum(layer.size for layer in self.layers)

    @property
    def change_count(self) -> int:
        """How many entries have been removed from the snapshot or put since."""
        return len(self.layers[0].removed_rows) + sum(len(delta.tables) for delta in self.deltas)

    def entries(self) -> Iterator[Entry]:
        """Return the entries of this generation, in no particular order."""
        return chain.from_iterable(layer.entries() for layer in self.layers)

    def entries_since(self, generation: Generation) -> Iterator[Entry]:
        """Return the entries that were put after a generation; quickly where the snapshot is not newer than that."""
        layers = self.deltas if self.snapshot_generation <= generation else self.layers
        return (entry for layer in layers for entry in layer.entries() if entry.revision > generation)

    def compacted(self) -> "Index":
        """Return the index of the same entries with all of them in its snapshot."""
        return replace(Index.from_snapshot(_joined(self.layers), self.generation), calibrations=self.calibrations)

    def with_changes(self, put: Iterable[Entry], removed: Iterable[str], generation: Generation) -> "Index":
        """Return the index after a change: `removed` ids leave the list; `put` entries are added, or replace theirs.

        All deltas but the last have the tables of those of this index, in order. On average the cost grows with the
        size of the change, and a little with the number of changes since the snapshot, not with the snapshot.
        """
        new = {entry.entry_id: entry for entry in put}
        superseded = new.keys() | set(removed)
        layers = [layer.without(superseded) for layer in self.layers]
        newest = [Layer.of(IndexTables.build(new.values()))]
        size = len(new)
        while len(layers) > 1 and len(layers[-1].tables) <= max(_JOIN_FACTOR * size, _ALWAYS_JOINED):
            newest.insert(0, layers.pop())
            size += newest[0].size
        changed = Index.of_layers(self.snapshot_generation, (*layers, Layer.of(_joined(newest))), generation)
        return replace(changed, calibrations=self.calibrations)

    def match(self, reads: Sequence[Read], days: LocalDays = UTC_DAYS) -> list[list[Match]]:
        """Return for each read, in their order, the entries that it matches, in order of `entry_id`.

        The text that matches in the surest tier explains the match. The score is the highest of all texts of the
        read: another candidate with the same plate and less confidence makes the vehicle no less likely. `days` says
        when an entry that gives days is valid at the site of each read.
        """
        matches: list[list[Match]] = [[] for _ in reads]
        for read_row, texts, best in self._best(reads, partial(applies_to, days=days)):
            of_read = [_match(each, texts, reads[read_row]) for each in best]
            matches[read_row] = sorted(of_read, key=attrgetter("entry.entry_id"))
        return matches

    def surest(self, reads: Sequence[Read], applies: Applies) -> list[Match | None]:
        """Return for each read its surest match with the entries that apply to it; None for none.

        To explain a match takes longer than to find it, and only the surest is explained.
        """
        matches: list[Match | None] = [None for _ in reads]
        for read_row, texts, best in self._best(reads, applies):
            matches[read_row] = _match(min(best, key=attrgetter("rank")), texts, reads[read_row])
        return matches

    def may_match(self, texts: Texts) -> Rows:
        """Return the rows of the texts that match an entry, or would at another time, site or in another direction.

        Each text is searched as in `match`, if its confidence was calibrated by `calibrations`. So a read of which no
        text is here matches nothing. A row may come twice.
        """
        found = self._search(texts)
        return np.concatenate([pairs.read_rows for _, pairs in found]) if found else _NO_ROWS

    def _best(self, reads: Sequence[Read], applies: Applies) -> Iterator[tuple[int, ReadTexts, Iterable[_Best]]]:
        """Yield the row of each read that matches, the texts of all reads, and the entries that the read matches."""
        if not reads:
            return
        texts = texts_of(reads, self.calibrations)
        found = self._search(texts.columns)
        for read_row, best in _best_of(self._pairs(found, texts, reads, applies), texts).items():
            yield read_row, texts, best.values()

    def _pairs(
        self, found: Sequence[_Found], texts: ReadTexts, reads: Sequence[Read], applies: Applies
    ) -> Iterator[_Pair]:
        """Yield the pairs of a text and an entry that match, of those found."""
        codes = texts.codes
        for tables, pairs in found:
            columns = (column.tolist() for column in (pairs.read_rows, pairs.entry_rows, pairs.tiers, pairs.scores))
            for text_row, entry_row, tier, score in zip(*columns, strict=True):
                entry, original = tables.entry_blobs.entry(entry_row), texts.originals.get(text_row)
                read = reads[texts.read_rows[text_row]]
                if not applies(entry, read):
                    continue
                if original is not None and not _is_umlaut_written_out(original, entry, tier):
                    continue
                surest = tier if original is None else FOLDED_TIER
                pair = _Pair(text_row, entry, tables.listed_text(entry_row), max(tier, surest), score)
                districts = compare_districts(texts.plates[text_row], read, entry)
                if districts is None or not districts.are_different:
                    yield pair
                elif _can_be_near(pair, codes):
                    rows = np.array([text_row]), np.array([entry_row])
                    [near] = self.likelihood.score_of_other_district(codes, rows[0], tables.plates.plates, rows[1])
                    if near >= self.likelihood.least_score("near"):
                        yield pair._replace(tier=NEAR_TIER, score=float(near))

    def _search(self, texts: Texts) -> list[_Found]:
        """Return the pairs of a text and an entry whose plates match."""
        found = (_Found(layer.tables, layer.search(texts, self.likelihood)) for layer in self.layers)
        return [of_layer for of_layer in found if len(of_layer.pairs)]


def _joined(layers: Sequence[Layer]) -> IndexTables:
    """Return tables with the entries of these layers that are on the list."""
    return IndexTables.joined([(layer.tables, layer.is_kept) for layer in layers])


def _vehicle_count(layers: Iterable[Layer]) -> int:
    """Return how many entries of an index stand for vehicles; scores depend on this number.

    The canary does not count. Otherwise scores would differ from a dry run, whose list has no canary.
    """
    return sum(
        layer.size - int(layer.is_kept[layer.tables.entry_blobs.rows_of([canary.ENTRY_ID])].sum()) for layer in layers
    )


def _best_of(pairs: Iterable[_Pair], texts: ReadTexts) -> dict[int, dict[str, _Best]]:
    """Return, by the read's row and the entry's id, the surest pair."""
    best: defaultdict[int, dict[str, _Best]] = defaultdict(dict)
    for pair in pairs:
        of_read, entry_id = best[texts.read_rows[pair.text_row]], pair.entry.entry_id
        score = round(pair.score, 4)
        so_far = of_read.get(entry_id)
        if so_far is None:
            of_read[entry_id] = _Best(pair, score)
        else:
            surest = min(so_far.pair, pair, key=_rank)
            of_read[entry_id] = _Best(surest, max(so_far.score, score))
    return best


def _rank(pair: _Pair) -> tuple[int, float, int]:
    """The lowest is surest."""
    return pair.tier, -pair.score, pair.text_row


def _match(best: _Best, texts: ReadTexts, read: Read) -> Match:
    pair = best.pair
    return Match(pair.entry, TIERS[pair.tier], best.score, _explained(pair, texts, read))


def _explained(pair: _Pair, texts: ReadTexts, read: Read) -> Explanation:
    original = texts.originals.get(pair.text_row)
    as_written = texts.plates[pair.text_row] if original is None else original
    candidate = as_written if texts.are_candidates[pair.text_row] else None
    read_as = texts.codes.text(pair.text_row) if original is None else as_read(original)
    calibration = "" if TIERS[pair.tier] == "pattern" else texts.calibration_note(pair.text_row)
    explanation = explain(read_as, pair.listed_as, read, pair.entry, candidate=candidate, calibration=calibration)
    return explanation if original is None else umlauts.explained(explanation)


def _can_be_near(pair: _Pair, codes: PlateCodes) -> bool:
    """Return whether a pair may still match, as `near`, when the read shows another district than the list."""
    is_an_edit_apart = pair.tier > FOLDED_TIER or codes.lengths[pair.text_row] != len(pair.listed_as)
    return not is_an_edit_apart and WIDEST_TIERS.get(pair.entry.tolerance, NEAR_TIER) >= NEAR_TIER


def _is_umlaut_written_out(original: str, entry: Entry, tier: int) -> bool:
    """Return whether a read whose umlauts are written otherwise is the listed plate, as `folded` at best."""
    is_allowed = tier <= FOLDED_TIER <= WIDEST_TIERS.get(entry.tolerance, NEAR_TIER)
    return is_allowed and not is_pattern(entry.plate) and umlauts.is_same_plate(original, entry.plate)


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
