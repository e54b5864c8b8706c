"""Words that stand where there is no plate: UNKNOWN, SANS PLAQUE. Pure. The table `no_plate_words.toml` decides."""

import re
import unicodedata
from typing import Final

from anpr.contracts.plate_marks import PADDING, positions
from anpr.contracts.plates import UNREADABLE, as_read
from anpr.contracts.word_search import WordSearch
from anpr.reference_data import tables

# A shorter Latin word counts only alone or beside a noun: NA and NO make names, such as NANO.
_SHORTEST_AMONG_OTHERS: Final = 3


def says_no_plate(text: str) -> bool:
    """Return whether a read or a listed text says that there is no plate, whatever marks stand beside the words.

    A mark for a character that was not read (`N?ONE`) is no mark beside a word: it may stand for a plate's digit.
    """
    # All words are of letters, and nearly every plate has a digit.
    if _DIGIT.search(text):
        return False
    letters = as_read(text).replace(UNREADABLE, "")
    if letters.isalpha() and _is_said_by(letters) and not _has_unread_within(text):
        return True
    return not text.isascii() and _is_said_by(_own_letters(text)) and not _has_unread_within(text, but_letters=True)


def _is_said_by(letters: str) -> bool:
    return letters in _WORDS or _is_made_of_words(letters)


def _has_unread_within(text: str, *, but_letters: bool = False) -> bool:
    """Return whether a character between the letters of a text was not read."""
    within = _AROUND.sub("", text)
    if PADDING in within and all(_own_letters(part) in _PARTS for part in within.split(PADDING)):
        within = within.replace(PADDING, " ")  # NO_PLATE: some programs write it for a space
    return any(
        meaning in {UNREADABLE, PADDING} and piece not in _BESIDE and not (but_letters and piece.isalpha())
        for piece, meaning in positions(within)
    )


def _own_letters(text: str) -> str:
    """Return the letters of a text in their own alphabet, in capitals and without their marks."""
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKD", text.upper())))


def _is_made_of_words(letters: str) -> bool:
    """Return whether the letters are words and nouns, one behind the other, of which one or more are words."""
    has_word_up_to = {0: False}
    for last, (length, is_word) in _PIECES.find(letters):
        start, end = last + 1 - length, last + 1
        if start in has_word_up_to:
            has_word_up_to[end] = has_word_up_to.get(end, False) or has_word_up_to[start] or is_word
    return has_word_up_to.get(len(letters), False)


def _pieces() -> WordSearch[tuple[int, bool]]:
    """Return the search for words and nouns, each with its length and whether it is a word."""
    pieces: dict[str, bool] = {}
    for language in _LANGUAGES:
        pieces |= dict.fromkeys(language["nouns"], False)
    for language in _LANGUAGES:
        for word in language["words"]:
            if len(word) >= _SHORTEST_AMONG_OTHERS or not word.isascii():
                pieces[word] = True
            else:
                pieces |= {word + noun: True for noun in language["nouns"]}
                pieces |= {noun + word: True for noun in language["nouns"]}
    return WordSearch({piece: (len(piece), is_word) for piece, is_word in pieces.items()})


def _in_its_letters(texts: list[str]) -> list[str]:
    return [text if text.isascii() else _own_letters(text) for text in texts]


_LANGUAGES: Final = [
    {key: _in_its_letters(texts) for key, texts in language.items()}
    for language in tables.load("no_plate_words").values()
]
_WORDS: Final = frozenset(word for language in _LANGUAGES for word in language["words"])
_PARTS: Final = _WORDS.union(*(language["nouns"] for language in _LANGUAGES))
_PIECES: Final = _pieces()
_DIGIT: Final = re.compile("[0-9]")
_AROUND: Final = re.compile(r"^[\W_]+|[\W_]+$")
# What people write between words, where a camera has no character that it did not read.
_BESIDE: Final = frozenset("!\"&'()+,/:;<=>@[\\]^`{|}~\u2019\u2026")
