"""Words that stand where there is no plate: UNKNOWN, SANS PLAQUE. Pure. The table `no_plate_words.toml` decides."""

from collections.abc import Iterator
from typing import Final

from anpr.contracts.plates import UNREADABLE
from anpr.reference_data import tables


def says_no_plate(text_as_read: str) -> bool:
    """Return whether a read or a listed text says that there is no plate, whatever marks stand beside the words.

    `text_as_read` is the text as `plates.as_read` writes it.
    """
    return text_as_read in _KEYS or (UNREADABLE in text_as_read and text_as_read.replace(UNREADABLE, "") in _KEYS)


def _keys() -> Iterator[str]:
    for language in tables.load("no_plate_words").values():
        for word in language["words"]:
            yield word
            for noun in language["nouns"]:
                yield word + noun
                yield noun + word


_KEYS: Final = frozenset(_keys())
