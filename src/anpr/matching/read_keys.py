"""The folded keys under which a read can be found again: those by which the index would find its entries. Pure.

A read has the key of its own text, of each candidate, of what is behind a country prefix, and of every plate inside
a longer text. `lookup.plate_table` looks the same texts up. A read that matches a plate has a key that is the
plate's, or one edit from it.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from anpr.contracts.events import Read
from anpr.contracts.plates import MAX_CANONICAL_LENGTH, UNREADABLE, canonical_pattern
from anpr.matching.encoding.country_prefix import COUNTRY_PREFIXES
from anpr.matching.encoding.inner_plates import INNER_PLATES
from anpr.matching.encoding.plate_codes import (
    FOLDED_CHARACTERS,
    TO_FOLDED,
    PlateCodes,
    Rows,
    encode_plates,
    translated,
)
from anpr.matching.read_texts import texts_of
from anpr.reference_data.limits import ALPHABET

# What may stand in a key.
_KEY_CHARACTERS = (*sorted(set(ALPHABET.translate(FOLDED_CHARACTERS))), UNREADABLE)


def folded_key(plate: str) -> str:
    """Return the folded key of a plate, "" for a text that cannot be one."""
    [key] = _folded(encode_plates([plate], [None]))
    return key


def keys_near(plate: str) -> frozenset[str]:
    """Return the folded key of a plate and all keys one edit from it; none for a text that cannot be a plate.

    An edit inserts, deletes or replaces a character, or swaps two neighbours.
    """
    key = folded_key(plate)
    if not key:
        return frozenset()
    near = {key}
    for at in range(len(key) + 1):
        head, tail = key[:at], key[at:]
        if len(key) < MAX_CANONICAL_LENGTH:
            near.update([head + character + tail for character in _KEY_CHARACTERS])
        if tail:
            near.add(head + tail[1:])
            near.update([head + character + tail[1:] for character in _KEY_CHARACTERS])
        if len(tail) > 1:
            near.add(head + tail[1] + tail[0] + tail[2:])
    near.discard("")
    return frozenset(near)


def folded_pattern(pattern: str) -> str:
    """Return a pattern that the key of every read that fits `pattern` fits, with `?` and `*` as in patterns."""
    return canonical_pattern(pattern).translate(FOLDED_CHARACTERS)


def read_keys(reads: Sequence[Read]) -> list[tuple[str, ...]]:
    """Return the keys of each read, in the order of the reads. A position that was not read is `?` in a key."""
    if not reads:
        return []
    texts = texts_of(reads)
    # A dictionary keeps each key once, in the order in which the engine derives them.
    keys: list[dict[str, None]] = [{} for _ in reads]
    for text_rows, plates in _plates_of(texts.codes):
        for text_row, key in zip(text_rows.tolist(), _folded(plates), strict=True):
            if key:
                keys[texts.read_rows[text_row]][key] = None
    return [tuple(keys_of_read) for keys_of_read in keys]


def _plates_of(codes: PlateCodes) -> Iterable[tuple[Rows, PlateCodes]]:
    """Yield the plates that the texts may mean, with the row of the text of each."""
    yield np.arange(len(codes)), codes
    yield COUNTRY_PREFIXES.strip(codes)
    inner = INNER_PLATES.find(codes)
    yield inner.read_rows, inner.plates


def _folded(plates: PlateCodes) -> list[str]:
    folded = translated(plates.codes, TO_FOLDED)
    return PlateCodes(folded, plates.lengths, plates.countries, plates.confidences).texts()
