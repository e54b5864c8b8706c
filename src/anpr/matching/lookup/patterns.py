"""Listed patterns: `?` is any one character, `*` any number of them; every other character is itself.

No read is compared with every pattern. A pattern's *anchors* are its characters whose position is known, counted from
the left or from the right of a plate. Patterns with anchors at the same positions form a group: one look-up of these
positions of a read finds all patterns of the group that may fit, however many there are. Text between two `*` can be
anywhere: the longest run of known characters is the pattern's *fragment*, and every stretch of a read as long as a
fragment is looked up. A pattern is stored under its anchors or its fragment, whichever fixes more characters.

So the cost of a read grows with the number of groups and of lengths of fragments, and both are limited: patterns of
the rarest groups are stored in other groups that fix fewer positions. Each pattern found is compared with the read in
one pass from left to right: a piece between two `*` is taken where it first fits, and no later choice can be better.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import (
    WIDTH,
    Codes,
    Lengths,
    PlateCodes,
    Rows,
    Words,
    encode_padded,
    words_of,
)
from anpr.matching.lookup.hash_table import HashTable, mix_bits

MAX_GROUPS: Final = 128
# A longer fragment is stored by its first eight characters, which are one word.
LONGEST_FRAGMENT: Final = 8
# Look-ups in one step. A step of numpy costs the same for one as for a thousand, so there are many; but a batch must
# not take a hundred megabytes.
_LOOKUPS_AT_ONCE = 1 << 18
# A read makes some 150 look-ups, so it pays that fewer absent keys pass the filter.
_EXTRA_BUCKET_BITS = 1
_COMPILED_CACHED = 1 << 17
# By length: the bytes of a word that a fragment keeps.
_FRAGMENT_MASKS = np.array([(1 << 8 * length) - 1 for length in range(LONGEST_FRAGMENT + 1)], np.uint64)
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

    `groups`: (g, 2) anchors. `fragment_lengths`: (f,). `by_hash`: from hashes to pattern numbers.
    """

    entry_rows: Rows
    texts: NDArray[np.uint8]
    ends: NDArray[np.int64]
    groups: NDArray[np.uint16]
    fragment_lengths: Lengths
    by_hash: HashTable

    @classmethod
    def build(cls, entry_rows: Sequence[int], patterns: Sequence[str]) -> "PatternTable":
        """Store canonical patterns, each with its entry's row. A pattern longer than a plate is left out."""
        numbers = [number for number, text in enumerate(patterns) if len(text.replace("*", "")) <= WIDTH]
        texts = [patterns[number] for number in numbers]
        ends = [_ends_of(text) for text in texts]
        anchors = [Anchors(_known_positions(first), _known_positions(last[::-1])) for first, last in ends]
        fragments = [max(_KNOWN_RUN.findall(text), key=len, default="")[:LONGEST_FRAGMENT] for text in texts]
        lengths = np.array([len(fragment) for fragment in fragments], np.intp)
        groups = _choose_groups(anchors, lengths.tolist())
        best_group = {distinct: _best_group(distinct, groups) for distinct in set(anchors)}
        group_numbers = np.array([best_group[of_pattern] for of_pattern in anchors], np.intp)
        fixed_counts = [groups[number].fixed_count for number in group_numbers.tolist()]
        is_by_fragment = lengths > np.array(fixed_counts, np.intp)
        left = _padded_words(first.ljust(WIDTH, "?") for first, _ in ends)
        right = _padded_words(last.rjust(WIDTH, "?") for _, last in ends)
        group_bits = np.array(groups, np.uint16).reshape(-1, 2)
        masks = _anchor_masks(group_bits)[:, group_numbers]
        hashes = np.where(
            is_by_fragment,
            _fragment_hashes(_padded_words(fragment.ljust(WIDTH, "?") for fragment in fragments)[0], lengths),
            _anchor_hashes(left, right, masks, group_numbers),
        )
        return cls(
            np.array([entry_rows[number] for number in numbers], np.intp),
            np.frombuffer("".join(texts).encode(), np.uint8),
            np.cumsum([len(text) for text in texts], dtype=np.int64),
            group_bits,
            np.unique(lengths[is_by_fragment]).astype(np.uint8),
            HashTable.build([(hashes, np.arange(len(texts)))], len(texts), len(texts), _EXTRA_BUCKET_BITS),
        )

    def search(self, reads: PlateCodes) -> tuple[Rows, Rows]:
        """Return the pairs of a read's row and the row of an entry whose pattern it fits, each pair once."""
        pairs: set[tuple[int, int]] = set()
        if len(self.entry_rows):
            piece_size = max(_LOOKUPS_AT_ONCE // (len(self.groups) + WIDTH * len(self.fragment_lengths)), 1)
            usable = reads.lengths.nonzero()[0]
            masked_groups = self._masked_groups()
            for start in range(0, len(usable), piece_size):
                piece = usable[start : start + piece_size]
                codes, lengths = reads.codes.take(piece, axis=0), reads.lengths[piece]
                for read_positions, numbers in self._candidates(codes, lengths, masked_groups):
                    pairs.update(zip(piece[read_positions].tolist(), numbers.tolist(), strict=True))
        texts = {row: reads.text(row) for row, _ in pairs}
        fitting = sorted((row, number) for row, number in pairs if fits(self.text(number), texts[row]))
        fitting_pairs = np.array(fitting, np.intp).reshape(-1, 2)
        return fitting_pairs[:, 0], self.entry_rows[fitting_pairs[:, 1]]

    def text(self, number: int) -> str:
        """Return a pattern."""
        begin = int(self.ends[number - 1]) if number else 0
        return self.texts[begin : int(self.ends[number])].tobytes().decode()

    def _masked_groups(self) -> list[tuple[Rows, Words]]:
        """Return the numbers of the groups and their masks; groups whose anchors use the same words come together."""
        masks = _anchor_masks(self.groups)
        used_words = (masks != 0).T
        parts = [(used_words == kind).all(axis=1).nonzero()[0] for kind in np.unique(used_words, axis=0)]
        return [(part[:, None], masks[:, part, None]) for part in parts]

    def _candidates(
        self, codes: Codes, lengths: Lengths, masked_groups: list[tuple[Rows, Words]]
    ) -> Iterable[tuple[Rows, Rows]]:
        """Return pairs of a read and a pattern that may fit it."""
        left = np.ascontiguousarray(words_of(codes).T)
        right = _right_aligned(left, lengths)
        for group_numbers, masks in masked_groups:
            hash_positions, pattern_numbers = self.by_hash.find(
                _anchor_hashes(left, right, masks, group_numbers).ravel()
            )
            yield hash_positions % len(lengths), pattern_numbers
        longest = int(lengths.max())
        windows = np.array(
            [(start, length) for length in self.fragment_lengths.tolist() for start in range(longest - length + 1)],
            np.intp,
        ).reshape(-1, 2)
        starts, window_lengths = windows[:, :1], windows[:, 1:]
        exists = np.flatnonzero(starts + window_lengths <= lengths)
        stretches = _words_at(left, starts) & _FRAGMENT_MASKS[window_lengths]
        hash_positions, pattern_numbers = self.by_hash.find(
            _fragment_hashes(stretches, window_lengths).ravel()[exists]
        )
        yield exists[hash_positions] % len(lengths), pattern_numbers


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


def _fragment_hashes(words: Words, lengths: Rows) -> Words:
    return mix_bits(words * _FACTORS[0] + lengths.astype(np.uint64) * _SALT)


def _right_aligned(words: Words, lengths: Lengths) -> Words:
    """Move the plates to the right end of their two words. A shift by more than a word, or below zero, gives zero."""
    shift = (WIDTH - lengths).astype(np.uint64) * _BYTE
    second = (words[1] << shift) | (words[0] >> (_WORD_BITS - shift)) | (words[0] << (shift - _WORD_BITS))
    return np.stack((words[0] << shift, second))


def _words_at(words: Words, starts: Rows) -> Words:
    """Return the word that begins at each position. A shift by more than a word, or below zero, gives zero."""
    shift = starts.astype(np.uint64) * _BYTE
    at_starts: Words = (words[0] >> shift) | (words[1] << (_WORD_BITS - shift)) | (words[1] >> (shift - _WORD_BITS))
    return at_starts
