"""Listed patterns: `?` is any one character, `*` any number of them, and all else stands for itself.

Theory of operation: no read is held against every pattern. The characters of a pattern whose place is known, counted
from the left of a plate or from its right, are its *anchors*. Patterns with anchors at the same places are a group:
one look-up of those places of a read finds all of the group that it may fit, however many there are. What stands
between two `*` can be anywhere; the longest run of known characters is the pattern's *fragment*, and every stretch of
a read as long as a fragment is looked up. Each pattern is filed under whichever fixes more.

So a read costs by the number of groups and of lengths of fragments, and both are bounded: of more groups the rarest
are filed under others that keep fewer places. What is found is compared with the whole pattern, in one pass from left
to right: a piece between two `*` is taken where it first fits, which never has to be taken back.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anpr.matching.encoding.plate_codes import WIDTH, Bytes, PlateCodes, Words, codes_aligned, words_of
from anpr.matching.lookup.hash_table import HashTable, Rows, spread

MAX_GROUPS: Final = 128
# A longer fragment is filed by its beginning: eight characters are one word.
LONGEST_FRAGMENT: Final = 8
# Look-ups that are made at once: many, for a step of numpy costs the same for one as for a thousand, and not so many
# that a batch takes a hundred megabytes.
_PIECE = 1 << 18
# A read asks some 150 times: the fewer of them seem to be there, the better.
_MORE_BITS = 1
_COMPILED_KEPT = 1 << 17
# By size, what a word keeps of a fragment.
_KEPT = np.array([(1 << 8 * size) - 1 for size in range(LONGEST_FRAGMENT + 1)], np.uint64)
_KNOWN_RUN = re.compile("[^?*]+")
_BYTE = np.uint64(8)
_WORD_BITS = np.uint64(64)
_FACTORS = np.array([0xD1B54A32D192ED03, 0xABC98388FB8FAC03, 0x8CB92BA72F3D8DD7, 0xDB4F0B9175AE2165], np.uint64)
_SALT = np.uint64(0xA0761D6478BD642F)


class Anchors(NamedTuple):
    """Where anchors are: a bit for each place from the left, the first the lowest, and for each from the right."""

    left: int
    right: int

    @property
    def places(self) -> int:
        """How many characters they fix."""
        return self.left.bit_count() + self.right.bit_count()

    def are_within(self, other: "Anchors") -> bool:
        """Tell whether the other ones fix all that these do."""
        return self.left & ~other.left == 0 and self.right & ~other.right == 0


@dataclass(frozen=True, slots=True)
class PatternTable:
    """Pattern `n` is that of entry `rows[n]`; `texts` holds one after the other, each up to its place in `ends`.

    `groups`: (g, 2) anchors. `fragments`: (f,) lengths. `filed`: from hashes to the numbers of patterns.
    """

    rows: Rows
    texts: Bytes
    ends: NDArray[np.int64]
    groups: NDArray[np.uint16]
    fragments: Bytes
    filed: HashTable

    @classmethod
    def build(cls, rows: Sequence[int], patterns: Sequence[str]) -> "PatternTable":
        """File patterns in their canonical form, each of the entry of its row. One longer than a plate fits none."""
        possible = [place for place, text in enumerate(patterns) if len(text.replace("*", "")) <= WIDTH]
        texts = [patterns[place] for place in possible]
        pieces = [_ends_of(text) for text in texts]
        anchors = [Anchors(_places(first), _places(last[::-1])) for first, last in pieces]
        fragments = [max(_KNOWN_RUN.findall(text), key=len, default="")[:LONGEST_FRAGMENT] for text in texts]
        sizes = np.array([len(fragment) for fragment in fragments], np.intp)
        groups = _groups_of(anchors, sizes.tolist())
        widest = {of_one: _widest_within(of_one, groups) for of_one in set(anchors)}
        group_of = np.array([widest[of_one] for of_one in anchors], np.intp)
        by_fragment = sizes > np.array([groups[group].places for group in group_of.tolist()], np.intp)
        left = _words(first.ljust(WIDTH, "?") for first, _ in pieces)
        right = _words(last.rjust(WIDTH, "?") for _, last in pieces)
        packed_groups = np.array(groups, np.uint16).reshape(-1, 2)
        masks = _masks_of(packed_groups)[:, group_of]
        hashes = np.where(
            by_fragment,
            _hashes_of_fragments(_words(fragment.ljust(WIDTH, "?") for fragment in fragments)[0], sizes),
            _hashes_of_anchors(left, right, masks, group_of),
        )
        return cls(
            np.array([rows[place] for place in possible], np.intp),
            np.frombuffer("".join(texts).encode(), np.uint8),
            np.cumsum([len(text) for text in texts], dtype=np.int64),
            packed_groups,
            np.unique(sizes[by_fragment]).astype(np.uint8),
            HashTable.build([(hashes, np.arange(len(texts)))], len(texts), len(texts), _MORE_BITS),
        )

    def search(self, reads: PlateCodes) -> tuple[Rows, Rows]:
        """Return the pairs of a read and an entry whose pattern it fits, each once."""
        pairs: set[tuple[int, int]] = set()
        if len(self.rows):
            at_once = max(_PIECE // (len(self.groups) + WIDTH * len(self.fragments)), 1)
            usable = reads.lengths.nonzero()[0]
            parts = self._parts()
            for start in range(0, len(usable), at_once):
                piece = usable[start : start + at_once]
                for which, numbers in self._candidates(reads.codes.take(piece, axis=0), reads.lengths[piece], parts):
                    pairs.update(zip(piece[which].tolist(), numbers.tolist(), strict=True))
        texts = {read: reads.text(read) for read, _ in pairs}
        fitting = sorted(pair for pair in pairs if fits(self.text(pair[1]), texts[pair[0]]))
        matched = np.array(fitting, np.intp).reshape(-1, 2)
        return matched[:, 0], self.rows[matched[:, 1]]

    def text(self, number: int) -> str:
        """Return a pattern."""
        begin = int(self.ends[number - 1]) if number else 0
        return self.texts[begin : int(self.ends[number])].tobytes().decode()

    def _parts(self) -> list[tuple[Rows, Words]]:
        """Return the groups, those together whose anchors are in the same words, and their masks."""
        masks = _masks_of(self.groups)
        used = (masks != 0).T
        parts = [(used == kind).all(axis=1).nonzero()[0] for kind in np.unique(used, axis=0)]
        return [(part[:, None], masks[:, part, None]) for part in parts]

    def _candidates(
        self, codes: Bytes, lengths: Bytes, parts: list[tuple[Rows, Words]]
    ) -> Iterable[tuple[Rows, Rows]]:
        words = np.ascontiguousarray(words_of(codes).T)
        right = _right_aligned(words, lengths)
        for groups, masks in parts:
            which, numbers = self.filed.find(_hashes_of_anchors(words, right, masks, groups).ravel())
            yield which % len(lengths), numbers
        longest = int(lengths.max())
        windows = np.array(
            [(place, length) for length in self.fragments.tolist() for place in range(longest - length + 1)], np.intp
        ).reshape(-1, 2)
        places, sizes = windows[:, :1], windows[:, 1:]
        there = np.flatnonzero(places + sizes <= lengths)
        hashes = _hashes_of_fragments(_from(words, places) & _KEPT[sizes], sizes).ravel()[there]
        which, numbers = self.filed.find(hashes)
        yield there[which] % len(lengths), numbers


def fits(pattern: str, plate: str) -> bool:
    """Tell whether a canonical plate fits a canonical pattern."""
    (first, first_length), *others = _compiled(pattern)
    if not others:
        return first.fullmatch(plate) is not None
    *middle, (last, last_length) = others
    at, end = first_length, len(plate) - last_length
    if at > end or not first.match(plate) or not last.match(plate, end):
        return False
    for piece, _ in middle:
        found = piece.search(plate, at, end)
        if found is None:
            return False
        at = found.end()
    return True


@lru_cache(_COMPILED_KEPT)
def _compiled(pattern: str) -> list[tuple[re.Pattern[str], int]]:
    """Return the pieces between `*`, each as an expression that repeats nothing and so cannot go astray."""
    return [(re.compile(piece.replace("?", ".")), len(piece)) for piece in pattern.split("*")]


def _ends_of(pattern: str) -> tuple[str, str]:
    """Return what stands before the first `*`, and behind the last one."""
    first, *others = pattern.split("*")
    return first, others[-1] if others else ""


def _places(piece: str) -> int:
    return sum(1 << place for place, character in enumerate(piece) if character != "?")


def _groups_of(anchors: Sequence[Anchors], fragment_sizes: Sequence[int]) -> list[Anchors]:
    """Return the commonest anchors of patterns that fix more by them, and none at all: that fits every pattern."""
    counts = Counter(
        of_one for of_one, size in zip(anchors, fragment_sizes, strict=True) if 0 < of_one.places >= size
    )
    return [Anchors(0, 0), *(of_one for of_one, _ in counts.most_common(MAX_GROUPS))]


def _widest_within(anchors: Anchors, groups: Sequence[Anchors]) -> int:
    within = (number for number, group in enumerate(groups) if group.are_within(anchors))
    return max(within, key=lambda number: groups[number].places)


def _words(texts: Iterable[str]) -> Words:
    """Return (2, n) words of texts of 16 characters that are canonical but for `?`, which counts as nothing."""
    return words_of(codes_aligned(list(texts))).T


def _masks_of(groups: NDArray[np.uint16]) -> Words:
    """Return (4, g): what is kept of the two words from the left, and of the two from the right."""
    bits = np.unpackbits(groups.astype("<u2").view(np.uint8).reshape(-1, 2, 2), axis=2, bitorder="little")
    kept = bits.reshape(-1, 2, WIDTH) * np.uint8(255)
    kept[:, 1] = kept[:, 1, ::-1]
    return np.ascontiguousarray(words_of(kept.reshape(-1, 2 * WIDTH)).T)


def _hashes_of_anchors(left: Words, right: Words, masks: Words, groups: Rows) -> Words:
    mixed = (left[0] & masks[0]) * _FACTORS[0]
    for words, mask, factor in zip((left[1], *right), masks[1:], _FACTORS[1:], strict=True):
        if mask.any():
            mixed += (words & mask) * factor
    mixed += (groups + WIDTH).astype(np.uint64) * _SALT
    return spread(mixed)


def _hashes_of_fragments(words: Words, sizes: Rows) -> Words:
    return spread(words * _FACTORS[0] + sizes.astype(np.uint64) * _SALT)


def _right_aligned(words: Words, lengths: Bytes) -> Words:
    """Move the plates to the right end of their two words. A shift by more than a word, or below zero, gives zero."""
    by = (WIDTH - lengths).astype(np.uint64) * _BYTE
    second = (words[1] << by) | (words[0] >> (_WORD_BITS - by)) | (words[0] << (by - _WORD_BITS))
    return np.stack((words[0] << by, second))


def _from(words: Words, places: Rows) -> Words:
    """Return the word that begins at each place. A shift by more than a word, or below zero, gives zero."""
    by = places.astype(np.uint64) * _BYTE
    words_there: Words = (words[0] >> by) | (words[1] << (_WORD_BITS - by)) | (words[1] >> (by - _WORD_BITS))
    return words_there
