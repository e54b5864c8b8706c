"""A plate's keys: two texts with the same key are the same plate, unless their gaps show two districts (`districts`).

`canonical` removes what cameras, lists and people write differently: case, spaces, dots, hyphens, accents, and
letters of other alphabets with a Latin shape. `equivalent` also writes one glyph for each pair that a plate does not
distinguish: British plates draw 0 and O alike, and 1 and I, and only the position shows which is meant. The keys
never replace the text as read; it travels with the read.

What is not understood is never left out: a letter that no table maps to a Latin one, a mark that separates nothing
(`*`, `%`), and what a wrong decoding left behind. In a read each is a position that was not read, `?`, which equals
no letter: without it, another plate would match exactly. A list refuses it. `marks.toml` and `glyphs.toml` decide.
"""

import re

from anpr.contracts.plate_marks import (
    PADDING,
    UNREADABLE,
    WILDCARDS,
    has_mojibake,
    meaning_of,
    positions,
    taken_off_at_ends,
)
from anpr.reference_data import tables

__all__ = [
    "ASCII_PADDING",
    "ASCII_SEPARATORS",
    "COUNTRY_ALIASES",
    "GLYPH_PAIRS",
    "MAX_CANONICAL_LENGTH",
    "UNREADABLE",
    "as_read",
    "canonical",
    "canonical_pattern",
    "country_of",
    "equivalent",
    "has_mojibake",
    "has_unreadable",
    "is_pattern",
    "meaning_of",
    "not_understood",
    "unknown_letters",
]

# The longest plate without its separators. The longest in `countries.toml` has ten characters; the rest is room
# for a country prefix or a district that is read with it.
MAX_CANONICAL_LENGTH = 16

# 0/O and 1/I: each pair is one glyph. The key has the letter for both.
GLYPH_PAIRS = {"0": "O", "1": "I"}

# In ASCII: what separates, and what fills a read's field at its ends.
ASCII_SEPARATORS = "".join(character for character in map(chr, range(128)) if not meaning_of(character))
ASCII_PADDING = "".join(character for character in map(chr, range(128)) if meaning_of(character) == PADDING)

_ASCII_MEANINGS = str.maketrans({character: meaning_of(character) for character in map(chr, range(128))})
# Removes what is understood: most plates of a long list need no closer look.
_UNDERSTOOD_ASCII = str.maketrans(
    dict.fromkeys(c for c in map(chr, range(128)) if c in WILDCARDS or meaning_of(c) not in {UNREADABLE, PADDING})
)
_WILDCARD_RUN = re.compile("[?*]{2,}")
_NOT_KEPT = re.compile("[^A-Z0-9]+")
_NOT_IN_PATTERN = re.compile("[^A-Z0-9?*]+")
_SAME_GLYPH = str.maketrans(GLYPH_PAIRS)

# Other two-letter codes that cameras and lists use for a country, and the country's own code.
COUNTRY_ALIASES = {
    alias: country for country, syntax in tables.load("countries").items() for alias in syntax.get("aliases", ())
}


def canonical(text: str) -> str:
    """Return the plate in A-Z and 0-9 only; empty when the text has none of them.

    Accepts any text. Leaves out what is not understood: `not_understood` names it.
    """
    if not text.isascii():
        text = _meanings(text)
    text = text.upper()
    return text if text.isalnum() else _NOT_KEPT.sub("", text)


def as_read(text: str) -> str:
    """Return the read in A-Z, 0-9 and `?` only: `canonical`, with a `?` at each position that was not read."""
    meanings = text.translate(_ASCII_MEANINGS) if text.isascii() else _meanings(text)
    return taken_off_at_ends(meanings) if PADDING in meanings else meanings


def has_unreadable(text: str) -> bool:
    """Return whether a read has a position that was not read."""
    return not (text.isascii() and text.isalnum()) and UNREADABLE in as_read(text)


def not_understood(text: str) -> str:
    """Return the characters that `canonical` leaves out although they separate nothing; wildcards are understood."""
    if text.isascii() and not text.translate(_UNDERSTOOD_ASCII):
        return ""
    return "".join(
        piece for piece, meaning in positions(text) if meaning in {UNREADABLE, PADDING} and piece not in WILDCARDS
    )


def unknown_letters(text: str) -> str:
    """Return the letters and digits that no table maps to a Latin one."""
    if text.isascii():
        return ""
    return "".join(character for character in not_understood(text) if character.isalnum())


def is_pattern(text: str) -> bool:
    """Return whether a listed plate is a pattern: `?` in it is any one character, `*` any number of them."""
    return not WILDCARDS.keys().isdisjoint(text)


def canonical_pattern(text: str) -> str:
    """Return the pattern in A-Z, 0-9, `?` and `*` only: the same text for all patterns that match the same plates."""
    if not text.isascii():
        text = "".join(
            WILDCARDS.get(piece, "" if meaning == UNREADABLE else meaning) for piece, meaning in positions(text)
        )
    kept = _NOT_IN_PATTERN.sub("", text.upper())
    return _WILDCARD_RUN.sub(lambda run: "?" * run[0].count("?") + "*" * ("*" in run[0]), kept)


def country_of(code: str) -> str:
    """Return the ISO 3166 code of the country that a two-letter code means: GB for UK."""
    return COUNTRY_ALIASES.get(code, code)


def equivalent(canonical_plate: str) -> str:
    """Return the key under which plates that differ only in 0/O and 1/I are equal."""
    return canonical_plate.translate(_SAME_GLYPH)


def _meanings(text: str) -> str:
    return "".join(meaning for _, meaning in positions(text))
