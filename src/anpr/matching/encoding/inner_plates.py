"""The possible plates inside the texts of a batch: those that `words_around.inner_plates` lists, as rows of numbers.

Nearly no text holds one: a text in a common layout of its country is most likely a plate by itself. One look at each
text's layout and first two characters excludes all others, so only they cost more.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.known_layouts import KNOWN_LAYOUTS
from anpr.matching.encoding.plate_codes import (
    CODE_COUNT,
    COUNTRY_COUNT,
    NO_LAYOUT,
    WIDTH,
    Codes,
    PlateCodes,
    Rows,
    Words,
    encode_plates,
    words_of,
)
from anpr.matching.encoding.words_around import (
    SHARES,
    SHORTEST_INNER,
    SHORTEST_OF_TWO_LINES,
    TELLING_BADGE,
    WORDS_BEFORE,
    WORDS_BEHIND,
    Word,
    is_telling,
)
from anpr.matching.lookup.hash_table import HashTable, hash_words
from anpr.matching.scoring.background_model import BACKGROUND_MODEL
from anpr.reference_data.limits import LONGEST_BADGE, LONGEST_LAYOUT

Shares = NDArray[np.float64]

_POSITIONS = np.arange(WIDTH)
# By number of characters: the bytes of a word that hold them.
_LOWEST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
_BYTE = np.array(8, np.uint64)
# By number of characters: the bit of a layout's number that gives it, 0 for too few or too many.
_LENGTH_BITS = np.array([1 << n if SHORTEST_INNER <= n <= LONGEST_LAYOUT else 0 for n in range(WIDTH + 1)])


class InnerPlates(NamedTuple):
    """Possible plates inside reads, a row for each: the read's row, the plate, and how often a plate is read so.

    `may_be_misread` says which are looked for with one misread letter too.
    """

    read_rows: Rows
    plates: PlateCodes
    shares: Shares
    may_be_misread: NDArray[np.bool_]


class _Cuts(NamedTuple):
    """Ways to read texts as plates, a row for each: `count` characters from `start` on, in a circle of `around`."""

    rows: Rows
    starts: Rows
    counts: Rows
    around: Rows
    countries: NDArray[np.uint16]
    shares: Shares
    may_be_misread: NDArray[np.bool_]


class _WordTable:
    """The words of one side of a plate, ready to be found in a batch of texts."""

    def __init__(self, words_by_text: Mapping[str, tuple[Word, ...]], *, is_behind: bool) -> None:
        words = [word for words in words_by_text.values() for word in words]
        texts = encode_plates([word.text for word in words], [word.country for word in words])
        self._is_behind = is_behind
        self._words = words_of(texts.codes)
        # A row for each word, and a last one for no word.
        self.countries: Final = np.append(texts.countries, np.uint16(0))
        self.shares: Final[Shares] = np.array([*(word.share for word in words), 1.0])
        self.are_telling: Final = np.array([*map(is_telling, words), False])
        self.are_badges: Final = np.array([*(word.is_badge for word in words), True])
        rows = np.arange(len(words))
        hashes = hash_words(self._words[:, 0], self._words[:, 1])
        self._table = HashTable.build([(hashes, rows)], len(rows), len(rows))

    def find(self, texts: PlateCodes, rows: Rows, sizes: Rows) -> tuple[Rows, Rows]:
        """Return which of m cells (a text and a number of its characters) are words, and which words.

        A cell of no characters is no word, and found.
        """
        first, second = (_last_characters if self._is_behind else _first_characters)(texts, rows, sizes)
        cells, words = self._table.find(hash_words(first, second))
        is_same = (first[cells] == self._words[words, 0]) & (second[cells] == self._words[words, 1])
        empty = (sizes == 0).nonzero()[0]
        no_word = np.full(len(empty), len(self._words))
        return np.concatenate([cells[is_same], empty]), np.concatenate([words[is_same], no_word])


def _first_characters(texts: PlateCodes, rows: Rows, sizes: Rows) -> tuple[Words, Words]:
    """Return the words of the first characters of each text."""
    words = words_of(texts.codes)
    first = words[rows, 0] & _LOWEST_BYTES[np.minimum(sizes, 8)]
    return first, words[rows, 1] & _LOWEST_BYTES[np.maximum(sizes - 8, 0)]


def _last_characters(texts: PlateCodes, rows: Rows, sizes: Rows) -> tuple[Words, Words]:
    """Return the words of the last characters of each text, 8 at most."""
    words = words_of(texts.codes)
    low, high = words[rows, 0], words[rows, 1]
    moved = texts.lengths[rows] - sizes
    bits = (moved % 8).astype(np.uint64) * _BYTE
    carried = (high << (np.uint64(56) - bits)) << _BYTE
    first = np.where(moved < 8, (low >> bits) | carried, high >> bits)
    return first, np.zeros_like(first)


class _InnerPlateFinder:
    """Finds possible plates inside the reads of a batch."""

    def __init__(self) -> None:
        self._before = _WordTable(WORDS_BEFORE, is_behind=False)
        self._behind = _WordTable(WORDS_BEHIND, is_behind=True)
        names = {len(text) for text, words in WORDS_BEFORE.items() if not all(map(is_telling, words))}
        sizes_behind = {len(text) for text in WORDS_BEHIND}
        # The numbers of characters that words before and behind a plate can have together.
        pairs = {(before, 0) for before in names} | set(product(range(LONGEST_BADGE + 1), sizes_behind))
        self._sizes = np.array(sorted(pairs, key=sum), np.intp)
        self._cells = _Cells(self._sizes)
        self._line_breaks = _LineBreaks()
        # By the first two codes of a text: a number for the telling badges that begin so, 0 if there are none. By
        # this number and the country of a read: whether one of them is of that country.
        self._badges = np.zeros(CODE_COUNT << 8, np.uint8)
        badges = [word for words in WORDS_BEFORE.values() for word in words if is_telling(word)]
        encoded = encode_plates([badge.text for badge in badges], [badge.country for badge in badges])
        beginnings = encoded.codes.view("<u2")[:, 0]
        self._badges[np.unique(beginnings)] = np.arange(1, 1 + len(np.unique(beginnings)))
        self._are_of_country = np.zeros((1 + len(np.unique(beginnings)), COUNTRY_COUNT), bool)
        self._are_of_country[1:, 0] = True
        self._are_of_country[self._badges[beginnings], encoded.countries] = True

    def find(self, reads: PlateCodes) -> InnerPlates | None:
        """Return the possible plates; None, at little cost, where no read can hold one."""
        is_rare = BACKGROUND_MODEL.has_rare_layout(reads)
        badges = self._badges.take(reads.codes.view("<u2")[:, 0])
        rows = (is_rare | (badges > 0)).nonzero()[0]
        if len(rows):
            is_rare = is_rare[rows]
            holds_one = (is_rare | self._are_of_country[badges[rows], reads.countries[rows]]).nonzero()[0]
            rows, is_rare = rows[holds_one], is_rare[holds_one]
        if not len(rows):
            return None
        texts = reads.take(rows)
        joined = _Cuts(*(np.concatenate(columns) for columns in zip(*self._cuts(texts, is_rare), strict=True)))
        if not len(joined.rows):
            return None
        return InnerPlates(rows[joined.rows], _cut(texts, joined), joined.shares, joined.may_be_misread)

    def _cuts(self, texts: PlateCodes, is_rare: NDArray[np.bool_]) -> Iterator[_Cuts]:
        badged_rows = (self._badges.take(texts.codes.view("<u2")[:, 0]) > 0).nonzero()[0]
        yield self._behind_badges(texts, badged_rows, is_rare)
        rare_rows = is_rare.nonzero()[0]
        if len(rare_rows):
            yield self._between_words(texts, rare_rows)
            yield self._line_breaks.cuts(texts, rare_rows)
            yield _read_twice(texts, rare_rows)

    def _behind_badges(self, texts: PlateCodes, rows: Rows, is_rare: NDArray[np.bool_]) -> _Cuts:
        """Return what stands behind telling badges."""
        sizes = np.arange(TELLING_BADGE, LONGEST_BADGE + 1)
        rows, sizes = rows.repeat(len(sizes)), np.tile(sizes, len(rows))
        is_left = texts.lengths[rows] >= sizes + SHORTEST_INNER
        rows, sizes = rows[is_left], sizes[is_left]
        cells, words = self._before.find(texts, rows, sizes)
        rows, sizes = rows[cells], sizes[cells]
        is_at_home = (texts.countries[rows] == 0) | (texts.countries[rows] == self._before.countries[words])
        kept = (self._before.are_telling[words] & (is_rare[rows] | is_at_home)).nonzero()[0]
        rows, sizes, words = rows[kept], sizes[kept], words[kept]
        return _Cuts(
            rows,
            sizes,
            texts.lengths[rows] - sizes,
            np.full(len(rows), WIDTH),
            self._before.countries[words],
            self._before.shares[words],
            is_rare[rows],
        )

    def _between_words(self, texts: PlateCodes, rows: Rows) -> _Cuts:
        """Return what stands between two words or beside one, in a known layout."""
        rows, pairs = self._cells.of(texts, rows)
        before_sizes, behind_sizes = self._sizes[pairs].T
        counts = texts.lengths[rows] - before_sizes - behind_sizes
        found, before = self._before.find(texts, rows, before_sizes)
        rows, counts, starts, behind_sizes = rows[found], counts[found], before_sizes[found], behind_sizes[found]
        found, behind = self._behind.find(texts, rows, behind_sizes)
        rows, counts, starts, before = rows[found], counts[found], starts[found], before[found]
        has_behind = behind_sizes[found] > 0
        of_before, of_behind = self._before.countries[before], self._behind.countries[behind]
        is_kept = (of_before == of_behind) | (of_before == 0) | (of_behind == 0)
        is_kept &= np.where(has_behind, self._before.are_badges[before], ~self._before.are_telling[before])
        countries = np.where(of_before != 0, of_before, of_behind)
        countries = np.where(countries != 0, countries, texts.countries[rows])
        layouts = _layouts(texts.letter_bits[rows] >> starts, counts)
        is_kept &= KNOWN_LAYOUTS.have(countries, layouts)
        shares = self._before.shares[before] * self._behind.shares[behind]
        around, may_be_misread = np.full(len(rows), WIDTH), np.zeros(len(rows), bool)
        cuts = _Cuts(rows, starts, counts, around, countries, shares, may_be_misread)
        return _Cuts(*(column[is_kept] for column in cuts))


class _Cells:
    """Which pairs of sizes of the words before and behind a plate are worth a look, by what a text looks like.

    A pair is a bit of a 64-bit number: so three look-ups and two steps exclude nearly all pairs of a text. What is
    left must have a layout that some country has, and the text must begin and end like words of these sizes.
    """

    def __init__(self, sizes: Rows) -> None:
        """Take the sizes of the words before and behind a plate, a row for each pair."""
        self._sizes = sizes
        layouts = np.arange(2 << LONGEST_LAYOUT)
        lengths = np.maximum(np.frexp(layouts)[1].astype(np.intp) - 1, 0)
        self._by_layout = self._leaving_a_plate(layouts, lengths)
        self._by_first = self._with_words(WORDS_BEFORE, sizes[:, 0], is_behind=False)
        self._by_last = self._with_words(WORDS_BEHIND, sizes[:, 1], is_behind=True)

    def of(self, texts: PlateCodes, rows: Rows) -> tuple[Rows, Rows]:
        """Return the texts of these rows and the pairs of sizes, each by its number, that are worth a look."""
        layouts, lengths, codes = texts.layouts[rows], texts.lengths[rows].astype(np.intp), texts.codes
        cells = self._by_layout[layouts]
        is_long = lengths > LONGEST_LAYOUT
        if is_long.any():
            cells[is_long] = self._leaving_a_plate(texts.letter_bits[rows[is_long]].astype(np.intp), lengths[is_long])
        cells &= self._by_first.take(codes.view("<u2")[rows, 0])
        last = np.maximum(lengths - 1, 1)
        cells &= self._by_last.take(codes[rows, last - 1] + (codes[rows, last].astype(np.intp) << 8))
        some = cells.nonzero()[0]
        at, pairs = np.unpackbits(cells[some].view(np.uint8).reshape(-1, 8), axis=1, bitorder="little").nonzero()
        return rows[some[at]], pairs

    def _leaving_a_plate(self, letter_bits: Rows, lengths: Rows) -> Words:
        """Return for each text the pairs of sizes that leave a layout that any country has."""
        counts = lengths[:, None] - self._sizes.sum(axis=1)
        return self._bits(KNOWN_LAYOUTS.any_has(_layouts(letter_bits[:, None] >> self._sizes[:, 0], counts)))

    def _with_words(self, words: Collection[str], sizes: Rows, *, is_behind: bool) -> Words:
        """Return for each two codes, with which a text begins (or ends), the pairs with a word that does so too."""
        has_word = np.zeros((CODE_COUNT << 8, len(sizes)), bool)
        has_word[:, sizes == 0] = True
        texts = encode_plates(list(words), [None] * len(words))
        lengths = texts.lengths.astype(np.intp)
        rows, other = np.arange(len(lengths)), np.arange(CODE_COUNT)
        outermost = texts.codes[rows, lengths - 1 if is_behind else 0].astype(np.intp)
        next_to_it = texts.codes[rows, np.maximum(lengths - 2, 0) if is_behind else 1].astype(np.intp)
        shifts = (8, 0) if is_behind else (0, 8)
        for size in np.unique(lengths):
            are_meant = lengths == size
            inner = other[:, None] if size == 1 else next_to_it[are_meant]
            begin = (outermost[are_meant] << shifts[0]) + (inner << shifts[1])
            has_word[np.ix_(np.unique(begin), sizes == size)] = True
        return self._bits(has_word)

    @staticmethod
    def _bits(flags: NDArray[np.bool_]) -> Words:
        padded = np.zeros((len(flags), 64), bool)
        padded[:, : flags.shape[1]] = flags
        return np.packbits(padded, axis=1, bitorder="little").view("<u8").ravel()


def _layouts(letter_bits: Rows, counts: Rows) -> Rows:
    """Return the number of the layout of these many characters, of which these are letters."""
    lengths = _LENGTH_BITS.take(counts, mode="clip")
    return np.where(lengths > 0, (letter_bits & (lengths - 1)) | lengths, NO_LAYOUT)


class _LineBreaks:
    """Where a text can be broken so that its second part, put first, gives a plate in a known layout."""

    def __init__(self) -> None:
        layouts = np.arange(2 << LONGEST_LAYOUT)
        lengths = np.maximum(np.frexp(layouts)[1].astype(np.intp) - 1, 0)
        letter_bits = layouts - np.where(layouts > 0, 1 << lengths, 0)
        self._by_layout = np.zeros((len(KNOWN_LAYOUTS.by_row), len(layouts)), np.uint16)
        for start in range(1, LONGEST_LAYOUT):
            second_line = (letter_bits & ((1 << start) - 1)) << np.maximum(lengths - start, 0)
            swapped = _layouts((letter_bits >> start) | second_line, lengths)
            is_within = (lengths >= SHORTEST_OF_TWO_LINES) & (start < lengths)
            self._by_layout |= (KNOWN_LAYOUTS.by_row[:, swapped] & is_within).astype(np.uint16) << start

    def cuts(self, texts: PlateCodes, rows: Rows) -> _Cuts:
        """Return the texts from one of their characters on, and what stands before it behind."""
        breaks = self._by_layout[KNOWN_LAYOUTS.rows(texts.countries[rows]), texts.layouts[rows]]
        some = breaks.nonzero()[0]
        at, starts = np.unpackbits(breaks[some].view(np.uint8).reshape(-1, 2), axis=1, bitorder="little").nonzero()
        rows = rows[some[at]]
        lengths = texts.lengths[rows].astype(np.intp)
        shares = SHARES["two_lines"] / (lengths - 1)
        return _Cuts(rows, starts, lengths, lengths, texts.countries[rows], shares, np.zeros(len(rows), bool))


def _read_twice(texts: PlateCodes, rows: Rows) -> _Cuts:
    """Return the first half of the texts whose halves are equal."""
    halves = (texts.lengths[rows] >> 1).astype(np.intp)
    may_be_twice = (texts.codes[rows, halves] == texts.codes[rows, 0]) & (texts.lengths[rows] & 1 == 0)
    rows, halves = rows[may_be_twice], halves[may_be_twice]
    codes = texts.codes[rows]
    behind = np.minimum(_POSITIONS + halves[:, None], WIDTH - 1)
    is_twice = ((np.take_along_axis(codes, behind, axis=1) == codes) | (halves[:, None] <= _POSITIONS)).all(axis=1)
    is_twice &= halves >= SHORTEST_INNER
    rows, halves = rows[is_twice], halves[is_twice]
    return _Cuts(
        rows,
        np.zeros_like(rows),
        halves,
        np.full(len(rows), WIDTH),
        texts.countries[rows],
        np.full(len(rows), SHARES["read_twice"]),
        np.ones(len(rows), bool),
    )


def _cut(texts: PlateCodes, cuts: _Cuts) -> PlateCodes:
    """Return the plates."""
    positions = (cuts.starts[:, None] + _POSITIONS) % cuts.around[:, None]
    exists = cuts.counts[:, None] > _POSITIONS
    of_texts = texts.take(cuts.rows)
    codes: Codes = np.where(exists, np.take_along_axis(of_texts.codes, positions, axis=1), 0).astype(np.uint8)
    char_confidences = of_texts.char_confidences
    if char_confidences is not None:
        char_confidences = np.where(
            exists, np.take_along_axis(char_confidences, positions, axis=1), np.float32(np.nan)
        )
    lengths = cuts.counts.astype(np.uint8)
    return replace(
        of_texts, codes=codes, lengths=lengths, countries=cuts.countries, char_confidences=char_confidences
    )


INNER_PLATES: Final = _InnerPlateFinder()
