"""Listed patterns: `?` is any one character, `*` any number of them; every other character is itself.

No read is compared with every pattern. A pattern's *anchors* are its characters whose position is known, counted from
the left or from the right of a plate. Patterns with anchors at the same positions form a group: one look-up of these
positions of a read finds all patterns of the group that may fit, however many there are. Text between two `*` can be
anywhere: the longest run of known characters is the pattern's *fragment*, and one search finds all fragments in a
batch. A pattern is stored under its anchors or its fragment, whichever fixes more characters.

The cost of a read grows with the number of groups, which is limited: patterns of the rarest groups are stored in
other groups that fix fewer positions. Each pattern found is compared with the read in one pass from left to right: a
piece between two `*` is taken where it first fits, and no later choice can be better.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.contracts.word_search import WordSearch
from anpr.matching.encoding.plate_codes import (
    WIDTH,
    Lengths,
    PlateCodes,
    Rows,
    Words,
    encode_padded,
    words_of,
)
from anpr.matching.lookup.hash_table import HashTable
from anpr.matching.lookup.hashes import mix_bits

MAX_GROUPS: Final = 128
# Look-ups in one step. A step of numpy costs the same for one as for a thousand, so there are many; but a batch must
# not take a hundred megabytes.
_LOOKUPS_AT_ONCE = 1 << 18
# A read makes up to 128 look-ups, so it pays that fewer absent keys pass the filter.
_EXTRA_BUCKET_BITS = 1
_COMPILED_CACHED = 1 << 17
_KNOWN_RUN = re.compile("[^?*]+")
_BYTE = np.uint64(8)
_WORD_BITS = np.uint64(64)
_FACTORS = np.array([0xD1B54A32D192ED03, 0xABC98388FB8FAC03, 0x8CB92BA72F3D8DD7, 0xDB4F0B9175AE2165], np.uint64)
_SALT = np.uint64(0xA0761D6478BD642F)


class Anchors(NamedTuple):
    """Where anchors are: one bit for each position from the left (the lowest is the first), and from the right."""

    left: int
    right: int

    @property
    def fixed_count(self) -> int:
        """The number of characters that they fix."""
        return self.left.bit_count() + self.right.bit_count()

    def are_within(self, other: "Anchors") -> bool:
        """Return whether the other anchors fix every position that these do."""
        return self.left & ~other.left == 0 and self.right & ~other.right == 0


@dataclass(frozen=True, slots=True)
class PatternTable:
    """Pattern `n` is that of entry `entry_rows[n]`. `texts` holds all of them; pattern `n` ends at offset `ends[n]`.

    `groups`: (g, 2) anchors. `by_anchors`: from hashes to pattern numbers. `with_fragments`: the numbers of the
    patterns that are stored under their fragments. Each process makes `fragments` of them, and `masked_groups` of the
    groups, when it loads the table.
    """

    entry_rows: Rows
    texts: NDArray[np.uint8]
    ends: NDArray[np.int64]
    groups: NDArray[np.uint16]
    by_anchors: HashTable
    with_fragments: Rows
    masked_groups: list[tuple[Rows, Words]] = field(init=False)
    fragments: WordSearch[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        """Make what is in no file."""
        object.__setattr__(self, "masked_groups", _masked_groups(self.groups))
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        for number in self.with_fragments.tolist():
            numbers[_fragment_of(self.text(number))].append(number)
        object.__setattr__(self, "fragments", WordSearch(numbers))

    @classmethod
    def build(cls, entry_rows: Sequence[int], patterns: Sequence[str]) -> "PatternTable":
        """Store canonical patterns, each with its entry's row. A pattern longer than a plate is left out."""
        numbers = [number for number, text in enumerate(patterns) if len(text.replace("*", "")) <= WIDTH]
        texts = [patterns[number] for number in numbers]
        ends = [_ends_of(text) for text in texts]
        anchors = [Anchors(_known_positions(first), _known_positions(last[::-1])) for first, last in ends]
        fragment_lengths = [len(_fragment_of(text)) for text in texts]
        groups = _choose_groups(anchors, fragment_lengths)
        best_group = {distinct: _best_group(distinct, groups) for distinct in set(anchors)}
        group_numbers = np.array([best_group[of_pattern] for of_pattern in anchors], np.intp)
        fixed_counts = [groups[number].fixed_count for number in group_numbers.tolist()]
        has_fragment = np.array(fragment_lengths) > fixed_counts
        anchored = np.flatnonzero(~has_fragment)
        left = _padded_words(first.ljust(WIDTH, "?") for first, _ in ends)
        right = _padded_words(last.rjust(WIDTH, "?") for _, last in ends)
        group_bits = np.array(groups, np.uint16).reshape(-1, 2)
        hashes = _anchor_hashes(left, right, _anchor_masks(group_bits)[:, group_numbers], group_numbers)
        return cls(
            np.array([entry_rows[number] for number in numbers], np.intp),
            np.frombuffer("".join(texts).encode(), np.uint8),
            np.cumsum([len(text) for text in texts], dtype=np.int64),
            group_bits,
            HashTable.build([(hashes[anchored], anchored)], len(texts), len(anchored), _EXTRA_BUCKET_BITS),
            np.flatnonzero(has_fragment),
        )

    def search(self, reads: PlateCodes) -> tuple[Rows, Rows]:
        """Return the pairs of a read's row and the row of an entry whose pattern it fits, each pair once."""
        pairs: set[tuple[int, int]] = set()
        if len(self.entry_rows):
            pairs.update(self._with_anchors(reads))
            pairs.update(self._with_fragments(reads))
        texts = {row: reads.text(row) for row, _ in pairs}
        fitting = sorted((row, number) for row, number in pairs if fits(self.text(number), texts[row]))
        fitting_pairs = np.array(fitting, np.intp).reshape(-1, 2)
        return fitting_pairs[:, 0], self.entry_rows[fitting_pairs[:, 1]]

    def text(self, number: int) -> str:
        """Return a pattern."""
        begin = int(self.ends[number - 1]) if number else 0
        return self.texts[begin : int(self.ends[number])].tobytes().decode()

    def _with_anchors(self, reads: PlateCodes) -> Iterator[tuple[int, int]]:
        """Yield pairs of a read and a pattern whose anchors may be those of the read."""
        usable = reads.lengths.nonzero()[0]
        piece_size = max(_LOOKUPS_AT_ONCE // len(self.groups), 1)
        for start in range(0, len(usable), piece_size):
            piece = usable[start : start + piece_size]
            left = np.ascontiguousarray(words_of(reads.codes.take(piece, axis=0)).T)
            right = _right_aligned(left, reads.lengths[piece])
            for group_numbers, masks in self.masked_groups:
                hashes = _anchor_hashes(left, right, masks, group_numbers)
                positions, pattern_numbers = self.by_anchors.find(hashes.ravel())
                yield from zip(piece[positions % len(piece)].tolist(), pattern_numbers.tolist(), strict=True)

    def _with_fragments(self, reads: PlateCodes) -> Iterator[tuple[int, int]]:
        """Yield pairs of a read and a pattern whose fragment is in the read."""
        if not self.fragments:
            return
        found = list(self.fragments.find(reads.joined_text()))
        rows = reads.rows_at(np.array([last for last, _ in found], np.intp))
        for row, (_, pattern_numbers) in zip(rows.tolist(), found, strict=True):
            for number in pattern_numbers:
                yield row, number


def fits(pattern: str, plate: str) -> bool:
    """Return whether a canonical plate fits a canonical pattern."""
    (first, first_length), *other_pieces = _compiled(pattern)
    if not other_pieces:
        return first.fullmatch(plate) is not None
    *middle, (last, last_length) = other_pieces
    start, end = first_length, len(plate) - last_length
    if start > end or not first.match(plate) or not last.match(plate, end):
        return False
    for piece, _ in middle:
        match = piece.search(plate, start, end)
        if match is None:
            return False
        start = match.end()
    return True


@lru_cache(_COMPILED_CACHED)
def _compiled(pattern: str) -> list[tuple[re.Pattern[str], int]]:
    """Return the pieces between `*` as expressions. None of them repeats anything, so none can run long."""
    return [(re.compile(piece.replace("?", ".")), len(piece)) for piece in pattern.split("*")]


def _fragment_of(pattern: str) -> str:
    """Return the longest run of known characters."""
    return max(_KNOWN_RUN.findall(pattern), key=len, default="")


def _ends_of(pattern: str) -> tuple[str, str]:
    """Return the text before the first `*` and the text behind the last."""
    first, *other_pieces = pattern.split("*")
    return first, other_pieces[-1] if other_pieces else ""


def _known_positions(piece: str) -> int:
    return sum(1 << position for position, character in enumerate(piece) if character != "?")


def _choose_groups(anchors: Sequence[Anchors], fragment_lengths: Sequence[int]) -> list[Anchors]:
    """Return the commonest anchors that fix more than the fragment does; first the empty ones, which fit all."""
    counts = Counter(
        of_pattern
        for of_pattern, length in zip(anchors, fragment_lengths, strict=True)
        if 0 < of_pattern.fixed_count >= length
    )
    return [Anchors(0, 0), *(common for common, _ in counts.most_common(MAX_GROUPS))]


def _best_group(anchors: Anchors, groups: Sequence[Anchors]) -> int:
    """Return the group that fixes most positions of these anchors and no other position."""
    possible = (number for number, group in enumerate(groups) if group.are_within(anchors))
    return max(possible, key=lambda number: groups[number].fixed_count)


def _padded_words(texts: Iterable[str]) -> Words:
    """Return (2, n) words of canonical texts of 16 characters, in which `?` counts as no character."""
    return words_of(encode_padded(list(texts))).T


def _masked_groups(groups: NDArray[np.uint16]) -> list[tuple[Rows, Words]]:
    """Return the numbers of the groups and their masks; groups whose anchors use the same words come together."""
    masks = _anchor_masks(groups)
    used_words = np.array([1, 2, 4, 8]) @ (masks != 0)
    parts = [(used_words == kind).nonzero()[0] for kind in set(used_words.tolist())]
    return [(part[:, None], masks[:, part, None]) for part in parts]


def _anchor_masks(groups: NDArray[np.uint16]) -> Words:
    """Return (4, g) masks: what a group keeps of the two words from the left and of the two from the right."""
    bits = np.unpackbits(groups.astype("<u2").view(np.uint8).reshape(-1, 2, 2), axis=2, bitorder="little")
    kept = bits.reshape(-1, 2, WIDTH) * np.uint8(255)
    kept[:, 1] = kept[:, 1, ::-1]
    return np.ascontiguousarray(words_of(kept.reshape(-1, 2 * WIDTH)).T)


def _anchor_hashes(left: Words, right: Words, masks: Words, group_numbers: Rows) -> Words:
    sums = (left[0] & masks[0]) * _FACTORS[0]
    for words, mask, factor in zip((left[1], *right), masks[1:], _FACTORS[1:], strict=True):
        if mask.any():
            sums += (words & mask) * factor
    sums += (group_numbers + WIDTH).astype(np.uint64) * _SALT
    return mix_bits(sums)


def _right_aligned(words: Words, lengths: Lengths) -> Words:
    """Move the plates to the right end of their two words. A shift by more than a word, or below zero, gives zero."""
    shift = (WIDTH - lengths).astype(np.uint64) * _BYTE
    second = (words[1] << shift) | (words[0] >> (_WORD_BITS - shift)) | (words[0] << (shift - _WORD_BITS))
    return np.stack((words[0] << shift, second))
