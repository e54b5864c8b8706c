"""The tables of a list of entries: its plates, its patterns and the entries. Each layer of an index has them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anpr.contracts.events import Entry
from anpr.contracts.plates import canonical_pattern, is_pattern
from anpr.matching.encoding.columns import Texts
from anpr.matching.encoding.encoded_entry import EncodedEntry, encode_entries
from anpr.matching.encoding.entry_blobs import EntryBlobs
from anpr.matching.encoding.plate_codes import PlateCodes, Rows, encode_plates
from anpr.matching.lookup.patterns import PatternTable
from anpr.matching.lookup.plate_table import NEAR_TIER, PATTERN_TIER, WIDEST_TIERS, MatchedPairs, PlateTable
from anpr.matching.scoring.likelihood import WRONG_COUNTRY_SHARE, Likelihood, candidate_shares

# The score of a read that fits a pattern, from a camera that gives no confidence: the share of its reads that are
# right.
DEFAULT_CONFIDENCE = np.float32(0.9)


@dataclass(frozen=True, slots=True)
class IndexTables:
    """Row `n` of the plates is entry `n` of the entry blobs. The row of a pattern holds no plate."""

    plates: PlateTable
    patterns: PatternTable
    entry_blobs: EntryBlobs

    @classmethod
    def build(cls, entries: Iterable[Entry]) -> "IndexTables":
        """Build the tables of these entries."""
        return cls.build_encoded(encode_entries(entries))

    @classmethod
    def build_encoded(cls, entries: Iterable[EncodedEntry]) -> "IndexTables":
        """Build the tables of entries that are already encoded."""
        plates: list[str] = []
        countries: list[str | None] = []
        widest_tiers: list[int] = []
        patterns: dict[int, str] = {}

        def collected() -> Iterator[EncodedEntry]:
            for row, (entry, blob) in enumerate(entries):
                if is_pattern(entry.plate):
                    patterns[row] = canonical_pattern(entry.plate)
                plates.append("" if row in patterns else entry.plate)
                countries.append(entry.country)
                widest_tiers.append(WIDEST_TIERS.get(entry.tolerance, NEAR_TIER))
                yield entry, blob

        entry_blobs = EntryBlobs.build(collected())
        plate_table = PlateTable.build(encode_plates(plates, countries), np.array(widest_tiers, np.uint8))
        return cls(plate_table, PatternTable.build(list(patterns), list(patterns.values())), entry_blobs)

    @classmethod
    def joined(cls, parts: Sequence[tuple["IndexTables", NDArray[np.bool_]]]) -> "IndexTables":
        """Build the tables of the entries of all parts whose flags are true. No entry is decoded."""
        patterns: dict[int, str] = {}
        first_row = 0
        for tables, is_kept in parts:
            new_rows = np.cumsum(is_kept) - 1 + first_row
            for number, row in enumerate(tables.patterns.entry_rows.tolist()):
                if is_kept[row]:
                    patterns[int(new_rows[row])] = tables.patterns.text(number)
            first_row += int(is_kept.sum())
        plates = [tables.plates.plates.take(np.flatnonzero(is_kept)) for tables, is_kept in parts]
        widest_tiers = np.concatenate([tables.plates.widest_tiers[is_kept] for tables, is_kept in parts])
        return cls(
            PlateTable.build(PlateCodes.concatenated(plates), widest_tiers),
            PatternTable.build(list(patterns), list(patterns.values())),
            EntryBlobs.joined([(tables.entry_blobs, is_kept) for tables, is_kept in parts]),
        )

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.entry_blobs)

    def search(self, reads: Texts, likelihood: Likelihood) -> MatchedPairs:
        """Return every match of a plate or a pattern, each pair once, in no particular order."""
        matched = self.plates.search(reads, likelihood)
        if not len(self.patterns.entry_rows):
            return matched
        read_rows, entry_rows = self.patterns.search(PlateCodes(*reads))
        if not len(read_rows):
            return matched
        tiers = np.full(len(entry_rows), PATTERN_TIER, np.uint8)
        scores = self._pattern_scores(reads, read_rows, entry_rows)
        return MatchedPairs.concatenated([matched, MatchedPairs(read_rows, entry_rows, tiers, scores)])

    def _pattern_scores(self, reads: Texts, read_rows: Rows, entry_rows: Rows) -> NDArray[np.float32]:
        """Return how sure the camera is of what it read, less where the countries differ."""
        confidences = reads.confidences[read_rows]
        scores = np.where(np.isnan(confidences), DEFAULT_CONFIDENCE, confidences)
        scores = np.where(reads.are_candidates[read_rows], candidate_shares(confidences), scores)
        read_countries, entry_countries = reads.countries[read_rows], self.plates.plates.countries[entry_rows]
        is_other_country = (read_countries != entry_countries) & (read_countries != 0) & (entry_countries != 0)
        scores *= np.where(is_other_country, np.float32(WRONG_COUNTRY_SHARE), np.float32(1))
        return scores

    def listed_text(self, row: int) -> str:
        """Return the canonical plate or pattern of a row."""
        return self.plates.plates.text(row) or canonical_pattern(self.entry_blobs.entry(row).plate)
