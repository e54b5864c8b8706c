"""Words that stand where there is no plate: UNKNOWN, SANS PLAQUE. Pure. The table `no_plate_words.toml` decides."""

from typing import Final

from anpr.contracts.plates import UNREADABLE
from anpr.contracts.word_search import WordSearch
from anpr.reference_data import tables

# A shorter word counts only alone or beside a noun: NA and NO make names, such as NANO.
_SHORTEST_AMONG_OTHERS: Final = 3


def says_no_plate(text_as_read: str) -> bool:
    """Return whether a read or a listed text says that there is no plate, whatever marks stand beside the words.

    `text_as_read` is the text as `plates.as_read` writes it.
    """
    letters = text_as_read.replace(UNREADABLE, "")
    # All words are of letters, and nearly every plate has a digit.
    return letters.isalpha() and (letters in _WORDS or _is_made_of_words(letters))


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
            if len(word) >= _SHORTEST_AMONG_OTHERS:
                pieces[word] = True
            else:
                pieces |= {word + noun: True for noun in language["nouns"]}
                pieces |= {noun + word: True for noun in language["nouns"]}
    return WordSearch({piece: (len(piece), is_word) for piece, is_word in pieces.items()})


_LANGUAGES: Final = tables.load("no_plate_words").values()
_WORDS: Final = frozenset(word for language in _LANGUAGES for word in language["words"])
_PIECES: Final = _pieces()
