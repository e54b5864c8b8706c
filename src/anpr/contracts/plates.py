"""A plate's keys: two texts with the same key are the same plate.

`canonical` removes what cameras, lists and people write differently: case, spaces, dots, hyphens, accents, and
letters of other alphabets with a Latin shape. `equivalent` also writes one glyph for each pair that a plate does not
distinguish: British plates draw 0 and O alike, and 1 and I, and only the position shows which is meant. The keys
never replace the text as read; it travels with the read.

A letter that no table maps to a Latin one still takes up a position on the plate, and so does a letter that the
camera could not read. In a read it becomes `?`, which equals no letter: without it, another plate would match
exactly. A list refuses such a letter.
"""

import re
import unicodedata

from anpr.reference_data import tables
from anpr.reference_data.limits import ALPHABET

# The longest plate without its separators. The longest in `countries.toml` has ten characters; the rest is room
# for a country prefix or a district that is read with it.
MAX_CANONICAL_LENGTH = 16

# 0/O and 1/I: each pair is one glyph. The key has the letter for both.
GLYPH_PAIRS = {"0": "O", "1": "I"}

# In a read: a position that cannot be read. The camera writes it, or it replaces a letter that no table knows.
UNREADABLE = "?"

_WILDCARDS = frozenset("?*")
_PARTS = re.compile("([?*])")
_WILDCARD_RUN = re.compile("[?*]{2,}")
_NOT_KEPT = re.compile("[^A-Z0-9]+")
_READ_CHARACTERS = frozenset(ALPHABET + UNREADABLE)
_LOOK_ALIKES = str.maketrans(
    {glyph: latin for table in tables.load("glyphs").values() for glyph, latin in table.items()}
)
_SAME_GLYPH = str.maketrans(GLYPH_PAIRS)

# Other two-letter codes that cameras and lists use for a country, and the country's own code.
COUNTRY_ALIASES = {
    alias: country for country, syntax in tables.load("countries").items() for alias in syntax.get("aliases", ())
}


def canonical(text: str) -> str:
    """Return the plate in A-Z and 0-9 only; empty when the text has none of them.

    Accepts any text. Leaves out characters that the tables map to no letter or digit.
    """
    if not text.isascii():
        text = _latin(text)
    text = text.upper()
    return text if text.isalnum() else _NOT_KEPT.sub("", text)


def as_read(text: str) -> str:
    """Return the read in A-Z, 0-9 and `?` only: `canonical`, with a `?` at each position that cannot be read."""
    if not text.isascii():
        # A letter that Unicode splits into several characters is one position.
        whole = unicodedata.normalize("NFC", "".join(c for c in _upper(text) if not unicodedata.combining(c)))
        text = "".join(UNREADABLE if _is_unreadable(character) else character for character in whole)
    return "".join(character for character in text.upper() if character in _READ_CHARACTERS)


def has_unreadable(text: str) -> bool:
    """Return whether a read has a position that cannot be read."""
    return UNREADABLE in text or (not text.isascii() and UNREADABLE in as_read(text))


def unknown_letters(text: str) -> str:
    """Return the letters and digits that `canonical` leaves out, because no table maps them to a Latin one."""
    if text.isascii():
        return ""
    return "".join(character for character in _upper(text) if not character.isascii() and character.isalnum())


def is_pattern(text: str) -> bool:
    """Return whether a listed plate is a pattern: `?` in it is any one character, `*` any number of them."""
    return not _WILDCARDS.isdisjoint(text if text.isascii() else unicodedata.normalize("NFKC", text))


def canonical_pattern(text: str) -> str:
    """Return the pattern in A-Z, 0-9, `?` and `*` only: the same text for all patterns that match the same plates."""
    kept = "".join(
        part if part in _WILDCARDS else canonical(part) for part in _PARTS.split(unicodedata.normalize("NFKC", text))
    )
    return _WILDCARD_RUN.sub(lambda run: "?" * run[0].count("?") + "*" * ("*" in run[0]), kept)


def country_of(code: str) -> str:
    """Return the ISO 3166 code of the country that a two-letter code means: GB for UK."""
    return COUNTRY_ALIASES.get(code, code)


def equivalent(canonical_plate: str) -> str:
    """Return the key under which plates that differ only in 0/O and 1/I are equal."""
    return canonical_plate.translate(_SAME_GLYPH)


def _is_unreadable(character: str) -> bool:
    # A decoder writes U+FFFD or a lone surrogate for a letter that it could not decode.
    is_ruined = character == "\ufffd" or "\ud800" <= character <= "\udfff"
    return is_ruined or (not character.isascii() and character.isalnum())


def _latin(text: str) -> str:
    """Return the text in ASCII, without the characters that no table knows."""
    return "".join(character for character in _upper(text) if character.isascii())


def _upper(text: str) -> str:
    """Return the text in upper case: Unicode's decompositions and digits first, then the look-alike tables."""
    # Lower case first: only the lower-case sharp s has an upper case (SS), the capital sharp s has none.
    upper = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).lower().upper())
    digits = "".join(str(unicodedata.decimal(character, character)) for character in upper)
    return digits.translate(_LOOK_ALIKES)
