"""Characters as the tables write them: U+XXXX, or a range U+XXXX-U+YYYY. Pure."""

import re
from collections.abc import Iterable
from typing import Final

CHARACTERS: Final = re.compile(r"U\+([0-9A-F]{4,6})(?:-U\+([0-9A-F]{4,6}))?")


def characters_of(ranges: Iterable[str]) -> frozenset[str]:
    """Return the characters of these ranges. Raises ValueError for a text that is none."""
    found = set()
    for text in ranges:
        written = CHARACTERS.fullmatch(text)
        if written is None:
            raise ValueError(f"{text!r} is not U+XXXX or U+XXXX-U+YYYY")
        first, last = written.groups()
        found |= set(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return frozenset(found)
