"""Umlauts written out: a camera or a list that has no Ü writes MUE for MÜ. Both are the same plate. Pure.

Only a text that shows the umlaut shows that the other one may be written out: `MÜ AB 12` and `MUE AB 12` meet, and
`MU AB 12` and `MUE AB 12` are two plates.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import msgspec

from anpr.contracts.events import Explanation
from anpr.contracts.plates import as_read
from anpr.reference_data.limits import LONGEST_BADGE

_WRITTEN_OUT: Final = {"Ä": "AE", "Ö": "OE", "Ü": "UE", "Å": "AA", "Ø": "OE"}
_TO_WRITTEN_OUT: Final = str.maketrans(_WRITTEN_OUT)
# One set of letters first: so the search skips quickly to the next of them.
_PAIR: Final = re.compile("[AOUaou](?:[Ee]|(?<=[Aa])[Aa])")
_BETWEEN: Final = "\n"
# No plate has more of them.
MOST_PAIRS: Final = 3
_WHY: Final = "an umlaut, which the other text writes out with this letter"


def rows_written_otherwise(texts: Sequence[str]) -> Sequence[int]:
    """Return the rows of the texts that may have another writing, at little cost: all texts are searched as one."""
    joined = _BETWEEN.join(texts)
    if not joined.isascii() or joined.count(_BETWEEN) >= len(texts):
        return [row for row, text in enumerate(texts) if _PAIR.search(text) or not text.isascii()]
    if not _PAIR.search(joined):
        return ()
    return sorted({joined.count(_BETWEEN, 0, pair.start()) for pair in _PAIR.finditer(joined)})


def written_otherwise(text: str) -> Iterator[str]:
    """Yield the other ways to write a read: with its umlauts written out, or with letters that may be umlauts."""
    written_out = _written_out(text)
    if written_out is not None:
        yield written_out
        return
    pairs = [found.start() for found in _PAIR.finditer(text)][:MOST_PAIRS]
    for dropped in product((False, True), repeat=len(pairs)):
        if any(dropped):
            second = {at + 1 for at, is_dropped in zip(pairs, dropped, strict=True) if is_dropped}
            yield "".join(character for at, character in enumerate(text) if at not in second)


def is_same_plate(read: str, listed: str) -> bool:
    """Return whether a read and a listed plate that meet are as long as each other once umlauts are written out.

    The read may be longer by country letters, which the tier `folded` allows in front of a plate.
    """
    written_out = [_written_out(text) for text in (read, listed)]
    if written_out == [None, None]:
        return False
    of_read, of_listed = (
        len(as_read(other or text)) for other, text in zip(written_out, (read, listed), strict=True)
    )
    return 0 <= of_read - of_listed <= LONGEST_BADGE


def has_umlauts(text: str) -> bool:
    """Return whether a text has an umlaut that another text may write out."""
    return _written_out(text) is not None


def explained(explanation: Explanation) -> Explanation:
    """Return the explanation of a match of two such texts: the letter more on one side is part of an umlaut."""
    differences = tuple(
        msgspec.structs.replace(difference, why=_WHY)
        if "" in {difference.read, difference.listed} and (difference.read or difference.listed) in {"E", "A"}
        else difference
        for difference in explanation.differences
    )
    return msgspec.structs.replace(explanation, differences=differences)


def _written_out(text: str) -> str | None:
    """Return a text with its umlauts written out, None when it has none."""
    if text.isascii():
        return None
    composed = unicodedata.normalize("NFC", text).upper()
    written_out = composed.translate(_TO_WRITTEN_OUT)
    return None if written_out == composed else written_out
