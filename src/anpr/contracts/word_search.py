"""Many words looked for in one text at once, whatever their number: an Aho-Corasick automaton. Pure.

The only module that uses pyahocorasick. An automaton is built from its words where it is needed and is never stored:
the library loads a stored one with pickle, which runs any code that the file holds.
"""

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

import ahocorasick

Value = TypeVar("Value")


class WordSearch(Generic[Value]):
    """Finds all occurrences of all words, also those that overlap or lie within another."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        """Take the words, none of them empty, each with a value."""
        self._automaton = ahocorasick.Automaton()
        for word, value in values.items():
            self._automaton.add_word(word, value)
        self._automaton.make_automaton()

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self._automaton)

    def find(self, text: str) -> Iterator[tuple[int, Value]]:
        """Yield each occurrence of a word: the position of its last character, and the word's value."""
        return self._automaton.iter(text) if self else iter(())
