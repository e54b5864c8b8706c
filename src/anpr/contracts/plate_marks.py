"""What each character of a plate's text means: a letter or digit, nothing, or something that is not understood.

Pure. The tables `marks.toml` and `glyphs.toml` decide; lists and reads use the same ones. What no table knows is
never left out: without it, what remains would be another vehicle's plate.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from anpr.reference_data import tables
from anpr.reference_data.characters import characters_of

# What a character means where it is no letter or digit of a plate and no separator.
UNREADABLE: Final = "?"
# Left over in a text of meanings until its ends are known: see `taken_off_at_ends`.
PADDING: Final = "_"

_MARKS = tables.load("marks")
_INVISIBLE: Final = frozenset(
    character for characters in _MARKS["invisible"].values() for character in characters_of(characters)
)
_SEPARATORS: Final = _INVISIBLE | frozenset(
    character
    for name, characters in _MARKS["separators"].items()
    if name != "categories"
    for character in characters_of(characters)
)
_SEPARATOR_CATEGORIES: Final = frozenset(_MARKS["separators"]["categories"])
_PADDING: Final = frozenset(
    character for characters in _MARKS["padding"].values() for character in characters_of(characters)
)
# By character: `?` or `*`.
WILDCARDS: Final = {
    character: wildcard
    for name, wildcard in (("one", "?"), ("any", "*"))
    for character in characters_of(_MARKS["wildcards"][name])
}
_LOOK_ALIKES: Final = str.maketrans(
    {glyph: latin for table in tables.load("glyphs").values() for glyph, latin in table.items()}
)
_LETTER, _NUMBER, _MARK = "L", "N", "M"
# The one mark whose capital is a letter: the iota below a Greek letter.
_IOTA_BELOW, _IOTA = "\u0345", "\u0399"
# A letter or digit above or below the line is no character of a plate.
_NOT_ON_THE_LINE: Final = ("<super>", "<sub>")


class Position(NamedTuple):
    """A piece of a text, and what it means: letters and digits, "" for a separator, UNREADABLE or PADDING."""

    text: str
    meaning: str


def positions(text: str) -> Iterator[Position]:
    """Yield the pieces of any text, in order. A letter that Unicode splits into several characters is one piece."""
    text = unicodedata.normalize("NFC", text).replace(_IOTA_BELOW, _IOTA)
    at, is_part_of_unread = 0, False
    while at < len(text):
        if text[at].isascii():  # neither a mark nor the start of a wrong decoding: most characters, so quickly
            yield Position(text[at], meaning_of(text[at]))
            at, is_part_of_unread = at + 1, False
            continue
        piece = text[at : at + _mojibake_length(text, at)] or text[at]
        at += len(piece)
        is_mark = unicodedata.category(piece[0])[0] == _MARK and piece not in _SEPARATORS
        meaning = "" if is_mark and is_part_of_unread else UNREADABLE if len(piece) > 1 else meaning_of(piece)
        if not is_mark:
            is_part_of_unread = meaning == UNREADABLE and piece[-1].isalpha()
        yield Position(piece, meaning)


def taken_off_at_ends(meanings: str) -> str:
    """Return the meanings of a text without the padding at its ends; within, it is a position that was not read."""
    return meanings.strip(PADDING).replace(PADDING, UNREADABLE)


@lru_cache(maxsize=4096)
def meaning_of(character: str) -> str:
    """Return what one character means by itself; see Position."""
    category = unicodedata.category(character)
    if character in _SEPARATORS or category in _SEPARATOR_CATEGORIES:
        return ""
    if character in _PADDING:
        return PADDING
    if category[0] not in {_LETTER, _NUMBER} or character in _TRACES:
        return UNREADABLE
    if unicodedata.decomposition(character).startswith(_NOT_ON_THE_LINE):
        return UNREADABLE
    # Lower case first: only the lower-case sharp s has an upper case (SS), the capital sharp s has none.
    upper = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).lower().upper())
    letters = "".join(
        str(unicodedata.decimal(letter, letter))
        for letter in upper
        if not unicodedata.combining(letter) and letter not in _SEPARATORS
    ).translate(_LOOK_ALIKES)
    return letters if letters.isascii() and letters.isalnum() else UNREADABLE


def is_gap(character: str) -> bool:
    """Return whether a character of a text stands for a gap on the plate: it separates, and it is not invisible."""
    return not meaning_of(character) and character not in _INVISIBLE


def _mojibake_length(text: str, at: int) -> int:
    """Return how many characters from here are one character that was decoded wrongly: 0 for none."""
    if text[at].upper() in _MOJIBAKE_STARTS:
        for length in (3, 2):
            if text[at : at + length].upper() in _MOJIBAKE:
                return length
    return 0


def _all_mojibake() -> Iterator[str]:
    yield from _MARKS["mojibake"]["pairs"]
    for encoding in _MARKS["mojibake"]["encodings"]:
        for character in characters_of(_MARKS["mojibake"]["characters"]):
            yield "".join(_decoded(byte, encoding) for byte in character.encode())


def _decoded(byte: int, encoding: str) -> str:
    """Return the character of a byte; for a byte that the encoding does not define, a control character."""
    try:
        return bytes((byte,)).decode(encoding)
    except UnicodeDecodeError:
        return chr(byte)


_MOJIBAKE: Final = frozenset(sequence.upper() for sequence in _all_mojibake())
_MOJIBAKE_STARTS: Final = frozenset(sequence[0] for sequence in _MOJIBAKE)
_TRACES: Final = frozenset(form for trace in _MARKS["mojibake"]["traces"] for form in (trace, trace.lower()))


def has_mojibake(text: str) -> bool:
    """Return whether a text was decoded wrongly before: a pair as `MÃœ` for `MÜ`, or a replacement character."""
    if text.isascii():
        return False
    return any(
        len(piece) > 1 or piece in _TRACES or piece == "\ufffd" or "\ud800" <= piece <= "\udfff"
        for piece, _ in positions(text)
    )
