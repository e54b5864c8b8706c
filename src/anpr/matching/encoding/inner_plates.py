"""The possible plates inside the texts of a batch: those that `words_around.inner_plates` lists, as rows of numbers.

Nearly no text holds one: a text in a common layout of its country is most likely a plate by itself. One look at each
text's layout and first two characters excludes all others, so only they cost more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.contracts.word_search import WordSearch
from anpr.matching.encoding.known_layouts import KNOWN_LAYOUTS
from anpr.matching.encoding.plate_codes import (
    CODE_COUNT,
    COUNTRY_COUNT,
    NO_LAYOUT,
    TEXT_SEPARATOR,
    WIDTH,
    PlateCodes,
    Rows,
    Words,
    country_codes,
    encode_plates,
    words_of,
)
from anpr.matching.encoding.words_around import (
    SHARES,
    SHORTEST_INNER,
    SHORTEST_OF_TWO_LINES,
    SHORTEST_READ_UNLIKE,
    WORDS_BEFORE,
    WORDS_BEHIND,
    Word,
)
from anpr.matching.scoring.background_model import BACKGROUND_MODEL, RARE_LAYOUT_SHARE
from anpr.reference_data.limits import LONGEST_LAYOUT

Shares = NDArray[np.float64]

_POSITIONS = np.arange(WIDTH)
# By number of characters: the bytes of a word that hold them.
_LOWEST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)
_BYTE, _SEVEN_BYTES, _NOTHING = (np.array(bits, np.uint64) for bits in (8, 56, 0))
# By number of characters: the bit of a layout's number that gives it, 0 for too few or too many.
_LENGTH_BITS = np.array([1 << n if SHORTEST_INNER <= n <= LONGEST_LAYOUT else 0 for n in range(WIDTH + 1)])


class InnerPlates(NamedTuple):
    """Possible plates inside reads, a row for each: the read's row, the plate, and how often a plate is read so.

    `may_be_misread` says which are looked for with one misread letter too, `have_known_layout` where only a listed
    plate in a known layout counts.
    """

    read_rows: Rows
    plates: PlateCodes
    shares: Shares
    may_be_misread: NDArray[np.bool_]
    have_known_layout: NDArray[np.bool_]


class _Cuts(NamedTuple):
    """Ways to read texts as plates, a row for each: `count` characters from `start` on, in a circle of `around`."""

    rows: Rows
    starts: Rows
    counts: Rows
    around: Rows
    countries: NDArray[np.uint16]
    shares: Shares
    may_be_misread: NDArray[np.bool_]
    have_known_layout: NDArray[np.bool_]


class _Words:
    """The words of one side of a plate, a row for each, and a last row for no word."""

    def __init__(self, words_by_text: Mapping[str, tuple[Word, ...]]) -> None:
        words = [word for words in words_by_text.values() for word in words]
        self.no_word: Final = len(words)
        self.sizes: Final[Rows] = np.array([*(len(word.text) for word in words), 0])
        self.countries: Final = country_codes([*(word.country for word in words), None])
        self.shares: Final[Shares] = np.array([*(word.share for word in words), 1.0])
        self.are_telling: Final = np.array([*(word.is_telling for word in words), False])
        self.are_badges: Final = np.array([*(word.is_badge for word in words), True])
        # Words with the same text follow each other.
        self._counts = np.array([len(words) for words in words_by_text.values()])
        self._begins = self._counts.cumsum() - self._counts

    def with_texts(self, numbers: Rows) -> tuple[Rows, Rows]:
        """Return pairs of an index into these numbers of texts and a word that has the text."""
        return _every(self._begins[numbers], self._counts[numbers])


class _Found(NamedTuple):
    """Pairs of a text and a word (of one side) beside it, each by its row."""

    rows: Rows
    words: Rows

    def or_no_word(self, rows: Rows, no_word: int) -> "_Found":
        """Return the pairs of these texts alone, and each of them with no word; sorted by text."""
        kept = np.isin(self.rows, rows)
        all_rows = np.concatenate([rows, self.rows[kept]])
        words = np.concatenate([np.full(len(rows), no_word), self.words[kept]])
        order = all_rows.argsort(kind="stable")
        return _Found(all_rows[order], words[order])


class _InnerPlateFinder:
    """Finds possible plates inside the reads of a batch."""

    def __init__(self) -> None:
        self._before, self._behind = _Words(WORDS_BEFORE), _Words(WORDS_BEHIND)
        # A word before a plate begins its text, and one behind a plate ends it. The numbers of the words' texts:
        words = [*(TEXT_SEPARATOR + text for text in WORDS_BEFORE), *(text + TEXT_SEPARATOR for text in WORDS_BEHIND)]
        self._search = WordSearch({word: number for number, word in enumerate(words)})
        self._line_breaks = _LineBreaks()
        # By the first two codes of a text: a number for the telling badges that begin so, 0 if there are none. By
        # this number and the country of a read: whether one of them is of that country.
        self._badges = np.zeros(CODE_COUNT << 8, np.uint8)
        badges = [word for words in WORDS_BEFORE.values() for word in words if word.is_telling]
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
        plates = _cut(texts, joined)
        return InnerPlates(rows[joined.rows], plates, joined.shares, joined.may_be_misread, joined.have_known_layout)

    def _cuts(self, texts: PlateCodes, is_rare: NDArray[np.bool_]) -> Iterator[_Cuts]:
        before, behind = self._words_around(texts)
        yield self._behind_badges(texts, before, is_rare)
        rare_rows = is_rare.nonzero()[0]
        if len(rare_rows):
            yield self._between_words(texts, rare_rows, before, behind)
            yield self._line_breaks.cuts(texts, rare_rows)
            yield _read_twice(texts, rare_rows)

    def _words_around(self, texts: PlateCodes) -> tuple[_Found, _Found]:
        """Return the words that the texts begin with, and those that they end with."""
        found = np.fromiter(chain.from_iterable(self._search.find(texts.joined_text())), np.intp).reshape(-1, 2)
        is_before = found[:, 1] < len(WORDS_BEFORE)
        positions, numbers = found[is_before].T
        at, words = self._before.with_texts(numbers)
        before = _Found(texts.rows_at(positions[at]), words)
        positions, numbers = found[~is_before].T
        at, words = self._behind.with_texts(numbers - len(WORDS_BEFORE))
        return before, _Found(texts.rows_at(positions[at] - 1), words)

    def _behind_badges(self, texts: PlateCodes, before: _Found, is_rare: NDArray[np.bool_]) -> _Cuts:
        """Return what stands behind telling badges."""
        rows, words = before
        sizes, countries = self._before.sizes[words], self._before.countries[words]
        is_at_home = (texts.countries[rows] == 0) | (texts.countries[rows] == countries)
        is_kept = self._before.are_telling[words] & (is_rare[rows] | is_at_home)
        is_kept &= texts.lengths[rows] >= sizes + SHORTEST_INNER
        counts, around = texts.lengths[rows] - sizes, np.full(len(rows), WIDTH)
        shares, of_any_layout = self._before.shares[words], np.zeros(len(rows), bool)
        cuts = _Cuts(rows, sizes, counts, around, countries, shares, is_rare[rows], of_any_layout)
        return _Cuts(*(column[is_kept] for column in cuts))

    def _between_words(self, texts: PlateCodes, rare_rows: Rows, before: _Found, behind: _Found) -> _Cuts:
        """Return what stands between two words or beside one."""
        rows, first, last = _every_pair(
            before.or_no_word(rare_rows, self._before.no_word), behind.or_no_word(rare_rows, self._behind.no_word)
        )
        starts, behind_sizes = self._before.sizes[first], self._behind.sizes[last]
        counts = texts.lengths[rows] - starts - behind_sizes
        of_before, of_behind = self._before.countries[first], self._behind.countries[last]
        is_kept = (of_before == of_behind) | (of_before == 0) | (of_behind == 0)
        is_name = (first < self._before.no_word) & ~self._before.are_telling[first]
        is_kept &= np.where(last < self._behind.no_word, self._before.are_badges[first], is_name)
        countries = np.where(of_before != 0, of_before, of_behind)
        countries = np.where(countries != 0, countries, texts.countries[rows])
        is_kept &= counts >= SHORTEST_INNER
        shares = self._before.shares[first] * self._behind.shares[last]
        around, may_be_misread = np.full(len(rows), WIDTH), np.zeros(len(rows), bool)
        cuts = _Cuts(rows, starts, counts, around, countries, shares, may_be_misread, ~may_be_misread)
        return _Cuts(*(column[is_kept] for column in cuts))


def _every_pair(before: _Found, behind: _Found) -> tuple[Rows, Rows, Rows]:
    """Return each text with each pair of a word before and a word behind it; both are sorted by text."""
    begins = behind.rows.searchsorted(before.rows)
    at, behind_rows = _every(begins, behind.rows.searchsorted(before.rows, side="right") - begins)
    return before.rows[at], before.words[at], behind.words[behind_rows]


def _every(begins: Rows, counts: Rows) -> tuple[Rows, Rows]:
    """Return pairs of an index and each of so many numbers from the beginning at that index on."""
    numbers = np.arange(counts.sum()) + (begins + counts - counts.cumsum()).repeat(counts)
    return np.arange(len(counts)).repeat(counts), numbers


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
            gives_a_plate = KNOWN_LAYOUTS.by_row[:, swapped]
            gives_a_plate &= (lengths >= SHORTEST_OF_TWO_LINES) & (start < lengths)
            of_all = BACKGROUND_MODEL.layouts[0]
            gives_a_plate[0] &= (of_all < RARE_LAYOUT_SHARE) | (of_all[swapped] > of_all)
            self._by_layout |= gives_a_plate.astype(np.uint16) << start

    def cuts(self, texts: PlateCodes, rows: Rows) -> _Cuts:
        """Return the texts from one of their characters on, and what stands before it behind."""
        breaks = self._by_layout[KNOWN_LAYOUTS.rows(texts.countries[rows]), texts.layouts[rows]]
        some = breaks.nonzero()[0]
        bits = np.unpackbits(breaks[some].view(np.uint8), bitorder="little").nonzero()[0]
        rows, starts = rows[some[bits >> 4]], bits & 15
        lengths = texts.lengths[rows].astype(np.intp)
        shares = SHARES["two_lines"] / (lengths - 1)
        no = np.zeros(len(rows), bool)
        return _Cuts(rows, starts, lengths, lengths, texts.countries[rows], shares, no, no)


def _read_twice(texts: PlateCodes, rows: Rows) -> _Cuts:
    """Return the first half of the texts whose halves are equal; both halves where one character differs."""
    is_even = (texts.lengths[rows] & 1 == 0) & (texts.lengths[rows] >= 2 * SHORTEST_INNER)
    rows = rows[is_even]
    halves = (texts.lengths[rows] >> 1).astype(np.intp)
    codes = texts.codes[rows]
    behind = np.minimum(_POSITIONS + halves[:, None], WIDTH - 1)
    is_unlike = (np.take_along_axis(codes, behind, axis=1) != codes) & (halves[:, None] > _POSITIONS)
    counts = is_unlike.sum(axis=1)
    is_twice = counts <= (halves >= SHORTEST_READ_UNLIKE)
    rows, halves, are_unlike = rows[is_twice], halves[is_twice], counts[is_twice] > 0
    starts = np.concatenate([np.zeros_like(rows), halves[are_unlike]])
    rows, halves = (np.concatenate([column, column[are_unlike]]) for column in (rows, halves))
    are_unlike = np.concatenate([are_unlike, are_unlike[are_unlike]])
    shares = np.where(are_unlike, SHARES["read_twice"] / 2, SHARES["read_twice"])
    around = np.full(len(rows), WIDTH)
    return _Cuts(rows, starts, halves, around, texts.countries[rows], shares, ~are_unlike, np.zeros_like(are_unlike))


def _cut(texts: PlateCodes, cuts: _Cuts) -> PlateCodes:
    """Return the plates."""
    of_texts = texts.take(cuts.rows)
    words = words_of(of_texts.codes)
    first, second = _moved_left(words[:, 0], words[:, 1], cuts.starts)
    in_two_lines = (cuts.around < WIDTH).nonzero()[0]
    if len(in_two_lines):
        lengths, starts = cuts.around[in_two_lines], cuts.starts[in_two_lines]
        behind = _moved_right(words[in_two_lines, 0], words[in_two_lines, 1], lengths - starts)
        first[in_two_lines] |= behind[0]
        second[in_two_lines] |= behind[1]
    first &= _LOWEST_BYTES[np.minimum(cuts.counts, 8)]
    second &= _LOWEST_BYTES[np.maximum(cuts.counts - 8, 0)]
    char_confidences = of_texts.char_confidences
    if char_confidences is not None:
        positions = (cuts.starts[:, None] + _POSITIONS) % cuts.around[:, None]
        of_plates = np.take_along_axis(char_confidences, positions, axis=1)
        char_confidences = np.where(cuts.counts[:, None] > _POSITIONS, of_plates, np.float32(np.nan))
    return replace(
        of_texts,
        codes=np.stack([first, second], axis=1).view(np.uint8),
        lengths=cuts.counts.astype(np.uint8),
        countries=cuts.countries,
        char_confidences=char_confidences,
    )


def _moved_left(first: Words, second: Words, counts: Rows) -> tuple[Words, Words]:
    """Return texts without so many of their first characters."""
    bits = (counts % 8).astype(np.uint64) * _BYTE
    carried = (second << (_SEVEN_BYTES - bits)) << _BYTE
    is_near = counts < 8
    rest = second >> bits
    return np.where(is_near, (first >> bits) | carried, rest), np.where(is_near, rest, _NOTHING)


def _moved_right(first: Words, second: Words, counts: Rows) -> tuple[Words, Words]:
    """Return texts with so many empty positions before them."""
    bits = (counts % 8).astype(np.uint64) * _BYTE
    carried = (first >> (_SEVEN_BYTES - bits)) >> _BYTE
    is_near = counts < 8
    begin = first << bits
    return np.where(is_near, begin, _NOTHING), np.where(is_near, (second << bits) | carried, begin)


INNER_PLATES: Final = _InnerPlateFinder()
