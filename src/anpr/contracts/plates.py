"""A plate's keys: what two texts must share to be the same plate.

`canonical` is the plate without what cameras, lists and people write differently: case, spaces, dots, hyphens,
accents, and letters of other alphabets that have a Latin shape. `equivalent` puts one glyph for the pairs that a
plate does not tell apart at all: on British plates 0 and O, and 1 and I, are drawn alike and only the position
says which is meant. The text as read is never replaced by its keys; it travels with the read.

A letter for which no table knows a Latin one is a place of the plate all the same, as is one that the camera could
not read. In a read it stays, as `?`, which is like no letter: left out, another plate would have been read exactly.
The list refuses it.
"""

import re
import unicodedata

from anpr.reference_data import tables

# A plate is at most this long when its separators are gone. The longest in `data/countries.toml` has ten
# characters; the rest is room for a badge or a district read with it.
MAX_CANONICAL_LENGTH = 16

# 0/O and 1/I: each pair is one glyph. In the key both are the letter.
GLYPH_PAIRS = {"0": "O", "1": "I"}

# What stands in a read for a place that cannot be read: written so by the camera, or a letter that no table knows.
UNREADABLE = "?"

_WILDCARDS = frozenset("?*")
_PARTS = re.compile("([?*])")
_WILDCARD_RUN = re.compile("[?*]{2,}")
_NOT_KEPT = re.compile("[^A-Z0-9]+")
_READ = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + UNREADABLE)
_LOOK_ALIKES = str.maketrans(
    {glyph: latin for table in tables.load("glyphs").values() for glyph, latin in table.items()}
)
_ONE_GLYPH = str.maketrans(GLYPH_PAIRS)

# Other codes of two letters by which cameras and lists name a country, and its own.
COUNTRY_ALIASES = {
    alias: country for country, syntax in tables.load("countries").items() for alias in syntax.get("aliases", ())
}


def canonical(text: str) -> str:
    """Return the plate in A-Z and 0-9 alone; empty when the text holds none of them.

    Any text is accepted. Characters that stand for no letter or digit in the tables are left out.
    """
    if not text.isascii():
        text = _latin(text)
    text = text.upper()
    return text if text.isalnum() else _NOT_KEPT.sub("", text)


def as_read(text: str) -> str:
    """Return what was read in A-Z, 0-9 and `?` alone: `canonical`, with a `?` at each place that cannot be read."""
    if not text.isascii():
        # One letter that Unicode takes apart into several is one place.
        whole = unicodedata.normalize("NFC", "".join(c for c in _upper(text) if not unicodedata.combining(c)))
        text = "".join(UNREADABLE if _is_unreadable(character) else character for character in whole)
    return "".join(character for character in text.upper() if character in _READ)


def has_unreadable(text: str) -> bool:
    """Tell whether a place of a read cannot be read."""
    return UNREADABLE in text or (not text.isascii() and UNREADABLE in as_read(text))


def unknown_letters(text: str) -> str:
    """Return the letters and numbers of a text that `canonical` leaves out, because no table knows a Latin one."""
    if text.isascii():
        return ""
    return "".join(character for character in _upper(text) if not character.isascii() and character.isalnum())


def is_pattern(text: str) -> bool:
    """Tell whether a listed plate stands for several: `?` in it is any one character, `*` any number of them."""
    return not _WILDCARDS.isdisjoint(text if text.isascii() else unicodedata.normalize("NFKC", text))


def canonical_pattern(text: str) -> str:
    """Return the pattern in A-Z, 0-9, `?` and `*` alone, the same for all that match the same plates."""
    kept = "".join(
        part if part in _WILDCARDS else canonical(part) for part in _PARTS.split(unicodedata.normalize("NFKC", text))
    )
    return _WILDCARD_RUN.sub(lambda run: "?" * run[0].count("?") + "*" * ("*" in run[0]), kept)


def country_of(code: str) -> str:
    """Return the ISO 3166 code of the country that a code of two letters means: GB for UK."""
    return COUNTRY_ALIASES.get(code, code)


def equivalent(canonical_plate: str) -> str:
    """Return the key under which plates that differ only in 0/O and 1/I are equal."""
    return canonical_plate.translate(_ONE_GLYPH)


def _is_unreadable(character: str) -> bool:
    # U+FFFD and lone surrogates are what a decoder leaves of a letter that it did not understand.
    is_ruined = character == "\ufffd" or "\ud800" <= character <= "\udfff"
    return is_ruined or (not character.isascii() and character.isalnum())


def _latin(text: str) -> str:
    """Return the text in ASCII, without what no table knows."""
    return "".join(character for character in _upper(text) if character.isascii())


def _upper(text: str) -> str:
    """Return the text in upper case: Unicode's decompositions and digits first, then the look-alike tables."""
    # Lower case first: of the two cases of the sharp s only the lower one has an upper case, SS.
    upper = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).lower().upper())
    digits = "".join(str(unicodedata.decimal(character, character)) for character in upper)
    return digits.translate(_LOOK_ALIKES)
