"""Plates as rows of numbers, so that a few steps normalise and compare a whole batch.

A plate of at most 16 characters is 16 bytes, left aligned, which are two 64-bit words. So comparing two plates is
comparing two pairs of numbers, and one pair is enough for most plates (up to 8 characters). A text without a letter
or digit, or with more than 16, cannot be a plate: it has length 0 and matches nothing.
"""

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anpr.contracts import plates
from anpr.reference_data import tables
from anpr.reference_data.limits import ALPHABET, LONGEST_LAYOUT

WIDTH = plates.MAX_CANONICAL_LENGTH
# Characters as codes, a row of 16 for each plate; the number of characters of each plate; two words for each plate.
Codes = NDArray[np.uint8]
Lengths = NDArray[np.uint8]
Words = NDArray[np.uint64]
# Row numbers of reads, entries or countries.
Rows = NDArray[np.intp]

# Code 0 is no character, code 1 is '0'. The code of a position that the camera could not read differs from every
# character of a plate and from every other such position.
UNREADABLE = len(ALPHABET) + 1
FIRST_LETTER = ALPHABET.index("A") + 1
CODE_COUNT = UNREADABLE + 1
NO_LAYOUT = 0
# The numbers of countries, 0 for unknown.
COUNTRY_COUNT = 1 + 26 * 26
_CODES = {character: code for code, character in enumerate(ALPHABET, start=1)}
# Between texts while they are joined. A batch with a text that holds it takes the slow path.
TEXT_SEPARATOR = "\n"


@dataclass(frozen=True)
class PlateCodes:
    """`n` plates, a row for each.

    `codes`: (n, 16), 0 for no character, 1..10 for '0'..'9', 11..36 for 'A'..'Z', 37 for a position of a read that
    cannot be read. `lengths`: (n,), 0 for a text that cannot be a plate.
    `countries`: (n,), 0 for unknown, else 1 + 26 * first + second letter. `confidences`: (n,), and
    `char_confidences`: (n, 16) or None: 0..1 as the camera gave them, NaN where it gave none (and for entries).
    `are_candidates`: (n,) flags, or None where no text is a candidate. `calibrated`: (n,) what the confidences count
    as (`scoring.confidence_calibration`), or None where they count as they are.
    """

    codes: Codes
    lengths: Lengths
    countries: NDArray[np.uint16]
    confidences: NDArray[np.float32]
    char_confidences: NDArray[np.float32] | None = None
    are_candidates: NDArray[np.bool_] | None = None
    calibrated: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lengths)

    @cached_property
    def longest(self) -> int:
        """The length of the longest plate."""
        return int(self.lengths[self.lengths.argmax()]) if len(self.lengths) else 0

    @cached_property
    def letter_bits(self) -> NDArray[np.uint16]:
        """(n,) a bit for each position, the first in the lowest bit: whether it holds a letter."""
        return np.packbits(self.codes >= _FIRST_LETTER, None, "little").view("<u2")

    @cached_property
    def layouts(self) -> Rows:
        """(n,) the number of each text's layout, NO_LAYOUT for texts that are too long and for those without any.

        A layout of up to LONGEST_LAYOUT characters has a bit for each position, 1 for a letter, and one bit above
        them, which gives the length.
        """
        layouts = _LETTER_MASKS.take(self.lengths)
        layouts &= self.letter_bits
        layouts |= _LENGTH_BITS.take(self.lengths)
        return layouts.astype(np.intp)

    def take(self, rows: Rows) -> "PlateCodes":
        """Return these rows, in this order."""
        char_confidences, are_candidates, calibrated = self.char_confidences, self.are_candidates, self.calibrated
        return PlateCodes(
            self.codes.take(rows, axis=0),
            self.lengths[rows],
            self.countries[rows],
            self.confidences[rows],
            None if char_confidences is None else char_confidences[rows],
            None if are_candidates is None else are_candidates[rows],
            None if calibrated is None else calibrated[rows],
        )

    @classmethod
    def concatenated(cls, parts: Sequence["PlateCodes"]) -> "PlateCodes":
        """Return the listed plates of all parts; those of reads would lose their confidences of characters."""
        return cls(
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.lengths for part in parts]),
            np.concatenate([part.countries for part in parts]),
            np.concatenate([part.confidences for part in parts]),
        )

    def text(self, row: int) -> str:
        """Return the canonical text of a row."""
        return self.codes[row, : self.lengths[row]].tobytes().translate(_TO_TEXT).decode()

    def texts(self) -> list[str]:
        """Return the canonical text of each row."""
        joined = self.codes.tobytes().translate(_TO_TEXT).decode()
        return [joined[start : start + WIDTH].rstrip("\0") for start in range(0, len(joined), WIDTH)]

    def joined_text(self) -> str:
        """Return the canonical texts of all rows, a TEXT_SEPARATOR before each and behind the last."""
        codes = np.full((len(self), 1 + WIDTH), _SEPARATOR_CODE, np.uint8)
        codes[:, 1:] = self.codes
        return codes.tobytes().translate(_TO_TEXT, b"\0").decode() + TEXT_SEPARATOR

    def rows_at(self, positions: Rows) -> Rows:
        """Return the row at each position of `joined_text`; a separator belongs to the row behind it."""
        ends = (self.lengths + _ONE).cumsum()
        return ends.searchsorted(positions, side="right")


def encode_plates(texts: Sequence[str], countries: Sequence[str | None]) -> PlateCodes:
    """Normalise and encode the texts of a list or a table, all in a few steps. Any text is accepted."""
    codes, lengths = _encode_texts(texts)
    return PlateCodes(codes, lengths, country_codes(countries), no_confidences(len(texts)))


def words_of(codes: Codes) -> Words:
    """Return the rows as (n, 2) words: characters 1 to 8, the first in the lowest byte, and 9 to 16."""
    return codes.view("<u8")


def country_codes(countries: Sequence[str | None]) -> NDArray[np.uint16]:
    """Return a number for each ISO 3166 alpha-2 code or its alias; 0 for None and for any other text."""
    return np.fromiter(map(_COUNTRY_CODES.__getitem__, countries), np.uint16, len(countries))


def country_text(code: int) -> str | None:
    """Return the country of a code."""
    first, second = divmod(code - 1, 26)
    return None if code == 0 else string.ascii_uppercase[first] + string.ascii_uppercase[second]


def translated(codes: Codes, table: bytes) -> Codes:
    """Return the rows with each code replaced by its value in the table, which has 256."""
    return np.frombuffer(codes.tobytes().translate(table), np.uint8).reshape(codes.shape)


def encode_padded(texts: Sequence[str]) -> Codes:
    """Return the codes of texts of exactly 16 characters. A character that no plate has gives code 0."""
    return np.frombuffer("".join(texts).encode().translate(_TO_CODES), np.uint8).reshape(-1, WIDTH)


def fold_table(classes: Iterable[str]) -> bytes:
    """Return the table that replaces each character of a class by the first character of the class."""
    table = list(range(256))
    for characters in classes:
        for character in characters:
            table[_CODES[character]] = _CODES[characters[0]]
    return bytes(table)


# 0/O and 1/I, which plates do not distinguish; and the wider classes that recognisers confuse.
TO_EQUIVALENT = fold_table(letter + digit for digit, letter in plates.GLYPH_PAIRS.items())
FOLD_CLASSES: tuple[str, ...] = tuple(tables.load("folds")["classes"])
TO_FOLDED = fold_table(FOLD_CLASSES)
# The same for the characters of a text.
FOLDED_CHARACTERS = str.maketrans({character: fold[0] for fold in FOLD_CLASSES for character in fold[1:]})


class _CountryCodes(dict[str | None, int]):
    def __missing__(self, _: str | None) -> int:
        return 0


_COUNTRY_CODES = _CountryCodes(
    {
        first + second: 1 + 26 * first_index + second_index
        for first_index, first in enumerate(string.ascii_uppercase)
        for second_index, second in enumerate(string.ascii_uppercase)
    }
)
_COUNTRY_CODES |= {alias: _COUNTRY_CODES[country] for alias, country in plates.COUNTRY_ALIASES.items()}
_TO_CODES = bytes(_CODES.get(chr(byte).upper(), 0) for byte in range(256))
READ_TO_CODES = bytes(0 if chr(byte) == TEXT_SEPARATOR else _TO_CODES[byte] or UNREADABLE for byte in range(256))
_SEPARATOR_CODE = CODE_COUNT
_TO_TEXT = (b"\0" + (ALPHABET + plates.UNREADABLE + TEXT_SEPARATOR).encode()).ljust(256, b"\0")
LEFT_OUT_IN_READS = plates.ASCII_SEPARATORS.replace(TEXT_SEPARATOR, "").encode()
LEFT_OUT_AT_ENDS = plates.ASCII_SEPARATORS + plates.ASCII_PADDING
_NAN = np.float32(np.nan).tobytes()
# By length: the bit of a layout number that gives the length, and a mask of the bits below it.
_TEXT_LENGTHS = np.arange(WIDTH + 1)
_HAS_LAYOUT = (_TEXT_LENGTHS > 0) & (_TEXT_LENGTHS <= LONGEST_LAYOUT)
_LENGTH_BITS = np.where(_HAS_LAYOUT, 1 << _TEXT_LENGTHS, NO_LAYOUT).astype(np.uint16)
_LETTER_MASKS = np.where(_LENGTH_BITS > 0, _LENGTH_BITS - 1, 0).astype(np.uint16)
# As arrays: numpy turns a number into an array at each step, which takes longer than the step does for one plate.
_NO_CHARACTER = np.array(0, np.uint8)
_ONE = np.array(1, np.intp)
_EIGHT = np.array(8, np.intp)
_FIRST_LETTER = np.array(FIRST_LETTER, np.uint8)
_PADDING = bytes(1 + WIDTH)
# By length: which bytes of the two words belong to the plate, and the length. A text longer than a plate has none.
_KEPT_BYTES = np.tri(WIDTH + 2, WIDTH, -1, dtype=np.uint8) * np.uint8(255)
_KEPT_BYTES[WIDTH + 1] = 0
_KEPT_WORDS = np.ascontiguousarray(words_of(_KEPT_BYTES).T)
_LENGTHS = np.array([*range(WIDTH + 1), 0], np.uint8)


def _encode_texts(texts: Sequence[str]) -> tuple[Codes, Lengths]:
    joined = TEXT_SEPARATOR.join(texts)
    is_plain = joined.isascii() and joined.count(TEXT_SEPARATOR) == len(texts) - 1
    if not is_plain or any(mark in joined for mark in plates.ASCII_PADDING):
        joined = TEXT_SEPARATOR.join([plates.as_read(text) for text in texts])
    # Each text stands between two zeros. The padding lets a word be read at the last text too.
    encoded = b"".join((b"\0", joined.encode().translate(READ_TO_CODES, LEFT_OUT_IN_READS), _PADDING))
    flat = np.frombuffer(encoded, np.uint8)
    ends = (flat[: len(flat) - WIDTH] == _NO_CHARACTER).nonzero()[0][: 1 + len(texts)]
    starts = ends[:-1] + _ONE
    lengths = ends[1:] - starts
    # A view with a word at each byte: reading one gives the next eight characters in one step.
    word_at_byte = np.ndarray(len(flat) - 7, "<u8", flat, strides=(1,))
    words = np.empty((len(texts), 2), "<u8")
    np.bitwise_and(word_at_byte[starts], _KEPT_WORDS[0].take(lengths, mode="clip"), out=words[:, 0])
    starts += _EIGHT
    np.bitwise_and(word_at_byte[starts], _KEPT_WORDS[1].take(lengths, mode="clip"), out=words[:, 1])
    return words.view(np.uint8), _LENGTHS.take(lengths, mode="clip")


def no_confidences(count: int) -> NDArray[np.float32]:
    """Return `count` missing confidences (NaN). They share four bytes of memory."""
    return np.ndarray(count, np.float32, _NAN, strides=(0,))
