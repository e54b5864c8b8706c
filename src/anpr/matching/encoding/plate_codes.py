"""Plates as rows of numbers, so that a whole batch is normalised and compared in a few steps.

A plate of at most 16 characters is 16 bytes, left aligned, and those are two 64-bit words: a comparison of two plates
is two comparisons of numbers, and most plates (up to 8 characters) are one. A text that holds no letter or digit, or
more than 16, is nobody's plate; it has length 0 and matches nothing.
"""

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anpr.contracts import plates
from anpr.reference_data import tables

WIDTH = plates.MAX_CANONICAL_LENGTH
Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

ALPHABET = string.digits + string.ascii_uppercase  # code 1 is '0'; code 0 is no character
# A place of a read that is there and cannot be read: like no character of a plate, nor like another such place.
UNREADABLE = len(ALPHABET) + 1
FIRST_LETTER = ALPHABET.index("A") + 1
CODE_COUNT = UNREADABLE + 1
_CODES = {character: code for code, character in enumerate(ALPHABET, start=1)}
# Between texts while they are joined; a text that holds one takes the slow way round.
_BETWEEN = "\n"


@dataclass(frozen=True)
class PlateCodes:
    """`n` plates, a row each.

    `codes`: (n, 16), 0 for nothing, 1..10 for '0'..'9', 11..36 for 'A'..'Z', 37 for a place of a read
    that cannot be read. `lengths`: (n,), 0 for what is no plate.
    `countries`: (n,), 0 for unknown, else 1 + 26 * first + second letter. `confidences`: (n,), and
    `char_confidences`: (n, 16) or None: 0..1 as the camera told, NaN where it did not (and for entries).
    `are_candidates`: (n,), or None where none is: texts that the camera only thought possible.
    """

    codes: Bytes
    lengths: Bytes
    countries: NDArray[np.uint16]
    confidences: NDArray[np.float32]
    char_confidences: NDArray[np.float32] | None = None
    are_candidates: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lengths)

    @cached_property
    def longest(self) -> int:
        """The length of the longest."""
        return int(self.lengths[self.lengths.argmax()]) if len(self.lengths) else 0

    @cached_property
    def letters(self) -> NDArray[np.uint16]:
        """(n,) a bit for each place, the first the lowest: whether a letter stands there."""
        return np.packbits(self.codes >= _FIRST_LETTER, None, "little").view("<u2")

    def take(self, rows: NDArray[np.intp]) -> "PlateCodes":
        """Return these rows, in this order."""
        chars, candidates = self.char_confidences, self.are_candidates
        return PlateCodes(
            self.codes.take(rows, axis=0),
            self.lengths[rows],
            self.countries[rows],
            self.confidences[rows],
            None if chars is None else chars[rows],
            None if candidates is None else candidates[rows],
        )

    def text(self, row: int) -> str:
        """Return the canonical text of a row."""
        return self.codes[row, : self.lengths[row]].tobytes().translate(_TO_TEXT).decode()


def encode_plates(
    texts: Sequence[str],
    countries: Sequence[str | None],
    confidences: Sequence[float | None] | None = None,
    char_confidences: Sequence[Sequence[float]] | None = None,
    are_candidates: Sequence[bool] | None = None,
) -> PlateCodes:
    """Normalise and pack texts as they were read or listed; any text is accepted.

    `char_confidences` are used for a text that has as many as it has characters, or as its canonical form has.
    """
    codes, lengths = _codes_of(texts)
    told = unknown(len(texts)) if confidences is None else np.array(confidences, dtype=np.float32)
    chars = None
    if char_confidences is not None and any(char_confidences):
        chars = _chars_of(texts, lengths, char_confidences)
    candidates = np.array(are_candidates, bool) if are_candidates is not None and any(are_candidates) else None
    return PlateCodes(codes, lengths, country_codes(countries), told, chars, candidates)


def words_of(codes: Bytes) -> Words:
    """Return the rows as (n, 2) words: characters 1 to 8, the first in the lowest byte, and 9 to 16."""
    return codes.view("<u8")


def country_codes(countries: Sequence[str | None]) -> NDArray[np.uint16]:
    """Return a number for each ISO 3166 alpha-2 code or alias of one, 0 for None and for what is no such code."""
    return np.fromiter(map(_COUNTRY_CODES.__getitem__, countries), np.uint16, len(countries))


def country_text(code: int) -> str | None:
    """Return the country of a code."""
    first, second = divmod(code - 1, 26)
    return None if code == 0 else string.ascii_uppercase[first] + string.ascii_uppercase[second]


def mapped(codes: Bytes, table: bytes) -> Bytes:
    """Return the rows with each code replaced as the table (256 long) says."""
    return np.frombuffer(codes.tobytes().translate(table), np.uint8).reshape(codes.shape)


def codes_aligned(texts: Sequence[str]) -> Bytes:
    """Return the codes of texts of exactly 16 characters; one that no plate has counts as nothing there."""
    return np.frombuffer("".join(texts).encode().translate(_TO_CODES), np.uint8).reshape(-1, WIDTH)


def fold_table(classes: Iterable[str]) -> bytes:
    """Return the table that puts the first character of each class for all of it."""
    table = list(range(256))
    for of_class in classes:
        for character in of_class:
            table[_CODES[character]] = _CODES[of_class[0]]
    return bytes(table)


# 0/O and 1/I, which plates do not tell apart, and the wider classes of what recognisers confuse.
EQUIVALENT = fold_table(letter + digit for digit, letter in plates.GLYPH_PAIRS.items())
FOLDS: tuple[str, ...] = tuple(tables.load("folds")["classes"])
FOLDED = fold_table(FOLDS)


class _CountryCodes(dict[str | None, int]):
    def __missing__(self, _: str | None) -> int:
        return 0


_COUNTRY_CODES = _CountryCodes(
    {
        first + second: 1 + 26 * place + second_place
        for place, first in enumerate(string.ascii_uppercase)
        for second_place, second in enumerate(string.ascii_uppercase)
    }
)
_COUNTRY_CODES |= {alias: _COUNTRY_CODES[country] for alias, country in plates.COUNTRY_ALIASES.items()}
_TO_CODES = bytes(_CODES.get(chr(byte).upper(), 0) for byte in range(256))
_READ_TO_CODES = bytes(UNREADABLE if chr(byte) == plates.UNREADABLE else _TO_CODES[byte] for byte in range(256))
_TO_TEXT = (b"\0" + ALPHABET.encode() + plates.UNREADABLE.encode()).ljust(256, b"\0")
_LEFT_OUT = bytes(
    byte for byte in range(256) if not chr(byte).isalnum() and chr(byte) not in {_BETWEEN, plates.UNREADABLE}
)
_NAN = np.float32(np.nan).tobytes()
# A number beside an array is an array too: turning it into one each time takes longer than a plate does.
_NOTHING = np.array(0, np.uint8)
_ONE = np.array(1, np.intp)
_EIGHT = np.array(8, np.intp)
_FIRST_LETTER = np.array(FIRST_LETTER, np.uint8)
_AFTER_THE_LAST = bytes(1 + WIDTH)
# By length, what of the two words belongs to the plate, and the length; of what is longer than a plate, nothing.
_KEPT = np.tri(WIDTH + 2, WIDTH, -1, dtype=np.uint8) * np.uint8(255)
_KEPT[WIDTH + 1] = 0
_KEPT_WORDS = np.ascontiguousarray(words_of(_KEPT).T)
_LENGTHS = np.array([*range(WIDTH + 1), 0], np.uint8)


def _codes_of(texts: Sequence[str]) -> tuple[Bytes, Bytes]:
    joined = _BETWEEN.join(texts)
    if not joined.isascii() or joined.count(_BETWEEN) != len(texts) - 1:
        joined = _BETWEEN.join([plates.as_read(text) for text in texts])
    # Each text stands between two zeros, and room for a word's reading behind the last.
    told = b"".join((b"\0", joined.encode().translate(_READ_TO_CODES, _LEFT_OUT), _AFTER_THE_LAST))
    flat = np.frombuffer(told, np.uint8)
    ends = (flat[: len(flat) - WIDTH] == _NOTHING).nonzero()[0][: 1 + len(texts)]
    starts = ends[:-1] + _ONE
    lengths = ends[1:] - starts
    # Every place of the text as the beginning of a word: reading one takes the next eight characters at once.
    at_each_byte = np.ndarray(len(flat) - 7, "<u8", flat, strides=(1,))
    words = np.empty((len(texts), 2), "<u8")
    np.bitwise_and(at_each_byte[starts], _KEPT_WORDS[0].take(lengths, mode="clip"), out=words[:, 0])
    starts += _EIGHT
    np.bitwise_and(at_each_byte[starts], _KEPT_WORDS[1].take(lengths, mode="clip"), out=words[:, 1])
    return words.view(np.uint8), _LENGTHS.take(lengths, mode="clip")


def unknown(count: int) -> NDArray[np.float32]:
    """Return confidences that nobody told, in no memory."""
    return np.ndarray(count, np.float32, _NAN, strides=(0,))


def _chars_of(texts: Sequence[str], lengths: Bytes, told: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    chars = np.full((len(texts), WIDTH), np.nan, np.float32)
    for row, (text, of_text, length) in enumerate(zip(texts, told, lengths.tolist(), strict=True)):
        if len(of_text) == length:
            chars[row, :length] = of_text
        elif len(of_text) == len(text) and text.isascii() and length:
            chars[row, :length] = [
                of_one for of_one, character in zip(of_text, text, strict=True) if plates.as_read(character)
            ]
    return chars
