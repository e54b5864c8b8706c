"""The possible plates inside the texts of a batch: those that `words_around.inner_plates` lists, as rows of numbers.

Nearly no text holds one: a text in a common layout of its country is most likely a plate by itself. One look at each
text's layout excludes all others that do not begin with a badge, so only they cost more.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.columns import Texts, for_kernels, texts_for_kernels
from anpr.matching.encoding.cuts import Cuts, all_cuts, cut_out, write_cut
from anpr.matching.encoding.known_layouts import KNOWN_LAYOUTS
from anpr.matching.encoding.layouts import layout_of
from anpr.matching.encoding.plate_codes import (
    CODE_COUNT,
    NO_LAYOUT,
    WIDTH,
    Codes,
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
from anpr.matching.kernels import as_int, inlined, kernel, step
from anpr.matching.lookup.hash_table import HashTable, row_in, slots_of
from anpr.matching.lookup.hashes import hash_words
from anpr.matching.scoring.background_model import BACKGROUND_MODEL, RARE_LAYOUT_SHARE
from anpr.reference_data.limits import LONGEST_LAYOUT

Shares = NDArray[np.float64]

_BYTE = np.uint64(8)
_hash_of = step(hash_words)


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


class WordTables(NamedTuple):
    """The words of one side of a plate.

    `by_text` finds the number of a word's text, `texts` has its two words of codes. The words with the text of number
    `n` are those from `begins[n]` to `begins[n + 1]`; the other arrays have a row for each, and a last row for no
    word. `longest` is the length of the longest text.
    """

    by_text: HashTable
    texts: Words
    begins: Rows
    sizes: Rows
    countries: NDArray[np.uint16]
    shares: Shares
    are_telling: NDArray[np.bool_]
    are_badges: NDArray[np.bool_]
    longest: int


class InnerTables(NamedTuple):
    """What kernels look up. `are_rare` is by the background model's row of a country and the layout.

    `breaks` is by the known layouts' row of a country and the layout: a bit for each position where a text can be
    broken so that its second part, put first, gives a plate in a known layout. `begin_with_badge` is by the first two
    codes of a text: whether a telling badge begins so.
    """

    before: WordTables
    behind: WordTables
    row_of_country: Rows
    are_rare: NDArray[np.bool_]
    known_row_of_country: Rows
    known_layouts: NDArray[np.bool_]
    breaks: NDArray[np.uint16]
    begin_with_badge: NDArray[np.bool_]
    two_lines_share: float
    read_twice_share: float


class WordScratch(NamedTuple):
    """Arrays that a kernel works in: the words before a text and behind it."""

    before: Rows
    behind: Rows


class _InnerPlateFinder:
    """Finds possible plates inside the reads of a batch."""

    def __init__(self) -> None:
        self.tables: Final = for_kernels(
            InnerTables(
                before=_word_tables(WORDS_BEFORE),
                behind=_word_tables(WORDS_BEHIND),
                row_of_country=BACKGROUND_MODEL.tables.row_of_country,
                are_rare=BACKGROUND_MODEL.are_rare,
                known_row_of_country=KNOWN_LAYOUTS.row_of_country,
                known_layouts=KNOWN_LAYOUTS.by_row,
                breaks=_line_breaks(),
                begin_with_badge=_beginnings_of_badges(),
                two_lines_share=SHARES["two_lines"],
                read_twice_share=SHARES["read_twice"],
            )
        )

        # A text begins and ends with one word of each length at most, and a word may have several meanings.
        most_before, most_behind = (max(map(len, words.values())) for words in (WORDS_BEFORE, WORDS_BEHIND))
        self._most_words = WIDTH * max(most_before, most_behind)
        # Two words leave room for each other; then one word, two lines, two halves.
        self.most_cuts: Final = WIDTH * WIDTH // 2 * most_before * most_behind + 3 * self._most_words + 2 * WIDTH

    def new_scratch(self) -> WordScratch:
        """Return arrays that a kernel works in."""
        return WordScratch(*(np.empty(self._most_words, np.intp) for _ in WordScratch._fields))

    def find(self, reads: PlateCodes) -> InnerPlates:
        """Return the possible plates."""
        texts = texts_for_kernels(reads)
        cuts = all_cuts(lambda cuts: _cuts_of_all(self.tables, texts, cuts, self.new_scratch()), len(reads))
        rows, plates = cut_out(texts, cuts)
        return InnerPlates(rows, plates, cuts["share"], cuts["may_be_misread"], cuts["has_known_layout"])


def _word_tables(words_by_text: Mapping[str, tuple[Word, ...]]) -> WordTables:
    words = [word for words in words_by_text.values() for word in words]
    texts = words_of(encode_plates(list(words_by_text), [None] * len(words_by_text)).codes)
    numbers = np.arange(len(texts))
    return WordTables(
        by_text=HashTable.build([(hash_words(texts[:, 0], texts[:, 1]), numbers)], len(texts), len(texts)),
        texts=texts,
        begins=np.cumsum([0, *map(len, words_by_text.values())]),
        sizes=np.array([*(len(word.text) for word in words), 0]),
        countries=country_codes([*(word.country for word in words), None]),
        shares=np.array([*(word.share for word in words), 1.0]),
        are_telling=np.array([*(word.is_telling for word in words), False]),
        are_badges=np.array([*(word.is_badge for word in words), True]),
        longest=max(map(len, words_by_text)),
    )


def _beginnings_of_badges() -> NDArray[np.bool_]:
    badges = [word.text for words in WORDS_BEFORE.values() for word in words if word.is_telling]
    first, second = encode_plates(badges, [None] * len(badges)).codes[:, :2].T
    beginnings = np.zeros((CODE_COUNT, CODE_COUNT), np.bool_)
    beginnings[first, second] = True
    return beginnings


def _line_breaks() -> NDArray[np.uint16]:
    layouts = np.arange(2 << LONGEST_LAYOUT)
    lengths = np.maximum(np.frexp(layouts)[1].astype(np.intp) - 1, 0)
    letter_bits = layouts - np.where(layouts > 0, 1 << lengths, 0)
    breaks = np.zeros((len(KNOWN_LAYOUTS.by_row), len(layouts)), np.uint16)
    for start in range(1, LONGEST_LAYOUT):
        second_line = (letter_bits & ((1 << start) - 1)) << np.maximum(lengths - start, 0)
        swapped = (letter_bits >> start) | second_line
        has_length = (lengths >= SHORTEST_INNER) & (lengths <= LONGEST_LAYOUT)
        swapped = np.where(has_length, (swapped & ((1 << lengths) - 1)) | (1 << lengths), NO_LAYOUT)
        gives_a_plate = KNOWN_LAYOUTS.by_row[:, swapped]
        gives_a_plate &= (lengths >= SHORTEST_OF_TWO_LINES) & (start < lengths)
        of_all = BACKGROUND_MODEL.layouts[0]
        gives_a_plate[0] &= (of_all < RARE_LAYOUT_SHARE) | (of_all[swapped] > of_all)
        breaks |= gives_a_plate.astype(np.uint16) << start
    return breaks


@inlined
def inner_cuts(
    inner: InnerTables,
    codes: Codes,
    length: int,
    country: int,
    row: int,
    cuts: Cuts,
    number: int,
    scratch: WordScratch,
) -> int:
    """Add the possible plates inside a text, and return how many cuts there are."""
    layout = layout_of(codes, length)
    is_rare = inner.are_rare[inner.row_of_country[country], layout]
    if not is_rare and not inner.begin_with_badge[codes[0], codes[1]]:
        return number
    before_count = _words_beside(inner.before, codes, length, True, scratch.before)
    for word in scratch.before[:before_count]:
        if inner.before.are_telling[word]:
            of_word = inner.before.countries[word]
            if is_rare or country == 0 or country == of_word:
                size, share = inner.before.sizes[word], inner.before.shares[word]
                number = write_cut(cuts, number, row, size, length - size, WIDTH, of_word, share, is_rare, False)
    if is_rare:
        number = _between_words(inner, codes, length, country, before_count, row, cuts, number, scratch)
        number = _in_two_lines(inner, layout, length, country, row, cuts, number)
        number = _read_twice(inner, codes, length, country, row, cuts, number)
    return number


@step
def _words_beside(words: WordTables, codes: Codes, length: int, is_before: bool, found: Rows) -> int:
    """Write the words that a text begins or ends with, where a plate is left, and return how many there are."""
    count = 0
    for size in range(1, min(words.longest, length - SHORTEST_INNER) + 1):
        first, second = _words_of_part(codes, 0 if is_before else length - size, size)
        key = _hash_of(first, second)
        begin, end = slots_of(words.by_text, key)
        for slot in range(begin, end):
            text = row_in(words.by_text, slot, key)
            if text >= 0 and words.texts[text, 0] == first and words.texts[text, 1] == second:
                for word in range(words.begins[text], words.begins[text + 1]):
                    found[count] = word
                    count += 1
    return count


@step
def _words_of_part(codes: Codes, start: int, size: int) -> tuple[np.uint64, np.uint64]:
    """Return the two words of a part of a text."""
    first, second = np.uint64(0), np.uint64(0)
    for at in range(size - 1, -1, -1):
        code = np.uint64(codes[start + at])
        if at < WIDTH // 2:
            first = (first << _BYTE) | code
        else:
            second = (second << _BYTE) | code
    return first, second


@step
def _between_words(
    inner: InnerTables,
    codes: Codes,
    length: int,
    country: int,
    before_count: int,
    row: int,
    cuts: Cuts,
    number: int,
    scratch: WordScratch,
) -> int:
    """Add what stands between two words or beside one."""
    no_first, no_last = len(inner.before.sizes) - 1, len(inner.behind.sizes) - 1
    behind_count = _words_beside(inner.behind, codes, length, False, scratch.behind)
    for first_number in range(-1, before_count):
        first = scratch.before[first_number] if first_number >= 0 else no_first
        for last_number in range(-1, behind_count):
            last = scratch.behind[last_number] if last_number >= 0 else no_last
            of_first, of_last = inner.before.countries[first], inner.behind.countries[last]
            if of_first != of_last and of_first != 0 and of_last != 0:
                continue
            if last == no_last and (first == no_first or inner.before.are_telling[first]):
                continue
            if last != no_last and not inner.before.are_badges[first]:
                continue
            start = inner.before.sizes[first]
            count = length - start - inner.behind.sizes[last]
            if count >= SHORTEST_INNER:
                of_words = of_first if of_first != 0 else of_last
                speaks_for = of_words if of_words != 0 else country
                share = inner.before.shares[first] * inner.behind.shares[last]
                number = write_cut(cuts, number, row, start, count, WIDTH, speaks_for, share, False, True)
    return number


@step
def _in_two_lines(
    inner: InnerTables, layout: int, length: int, country: int, row: int, cuts: Cuts, number: int
) -> int:
    """Add the text from one of its characters on, and what stands before it behind."""
    breaks = inner.breaks[inner.known_row_of_country[country], layout]
    for start in range(1, length):
        if breaks >> start & 1:
            share = inner.two_lines_share / (length - 1)
            number = write_cut(cuts, number, row, start, length, length, country, share, False, False)
    return number


@step
def _read_twice(
    inner: InnerTables, codes: Codes, length: int, country: int, row: int, cuts: Cuts, number: int
) -> int:
    """Add the first half of a text whose halves are equal; both halves where one character differs."""
    half = length // 2
    if length % 2 == 1 or half < SHORTEST_INNER:
        return number
    differences = 0
    for at in range(half):
        differences += codes[at] != codes[at + half]
    if differences == 0:
        return write_cut(cuts, number, row, 0, half, WIDTH, country, inner.read_twice_share, True, False)
    if differences == 1 and half >= SHORTEST_READ_UNLIKE:
        number = write_cut(cuts, number, row, 0, half, WIDTH, country, inner.read_twice_share / 2, False, False)
        number = write_cut(cuts, number, row, half, half, WIDTH, country, inner.read_twice_share / 2, False, False)
    return number


@kernel
def _cuts_of_all(inner: InnerTables, texts: Texts, cuts: Cuts, scratch: WordScratch) -> int:
    number = 0
    for row in range(len(texts.lengths)):
        length, country = as_int(texts.lengths[row]), texts.countries[row]
        number = inner_cuts(inner, texts.codes[row], length, country, row, cuts, number, scratch)
    return number


INNER_PLATES: Final = _InnerPlateFinder()
