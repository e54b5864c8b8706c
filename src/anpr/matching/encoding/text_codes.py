"""The texts of reads as numbers: what `encode_plates` does for lists, and the confidence of each character.

Reads come one by one or some hundred together, many times a second. So this is a kernel, and it writes columns in the
form that the other kernels take.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.contracts import plates
from anpr.matching.encoding.columns import Texts, for_kernels
from anpr.matching.encoding.plate_codes import (
    LEFT_OUT_AT_ENDS,
    LEFT_OUT_IN_READS,
    READ_TO_CODES,
    TEXT_SEPARATOR,
    WIDTH,
    Codes,
    Lengths,
    PlateCodes,
    Rows,
    country_codes,
)
from anpr.matching.kernels import kernel, step

_SEPARATOR: Final = ord(TEXT_SEPARATOR)
# By byte: the code of the character, or LEFT_OUT.
LEFT_OUT: Final = 0
TO_CODES: Final = for_kernels(
    np.array([LEFT_OUT if byte in LEFT_OUT_IN_READS else READ_TO_CODES[byte] for byte in range(256)], np.uint8)
)
_NO_COUNTS: Final = np.empty(0, np.intp)
_NO_CHARS: Final = np.empty(0, np.float32)


def encode_texts(
    texts: Sequence[str],
    countries: Sequence[str | None],
    confidences: Sequence[float | None],
    char_confidences: Sequence[Sequence[float]] = (),
    are_candidates: Sequence[bool] = (),
) -> PlateCodes:
    """Return `columns_of_texts` as plates."""
    return PlateCodes(*columns_of_texts(texts, countries, confidences, char_confidences, are_candidates))


def columns_of_texts(
    texts: Sequence[str],
    countries: Sequence[str | None],
    confidences: Sequence[float | None],
    char_confidences: Sequence[Sequence[float]] = (),
    are_candidates: Sequence[bool] = (),
) -> Texts:
    """Normalise and encode texts as read. Any text is accepted. Texts behind the last `char_confidences` have none.

    The `char_confidences` of a text are used if there are as many as its characters, or as its canonical form has.
    """
    joined = TEXT_SEPARATOR.join(texts) + TEXT_SEPARATOR
    if not joined.isascii() or joined.count(TEXT_SEPARATOR) > len(texts) or _has_padding(joined):
        char_confidences = _of_canonical_texts(texts, char_confidences)
        joined = "".join(plates.as_read(text) + TEXT_SEPARATOR for text in texts)
    counts, chars = _NO_COUNTS, _NO_CHARS
    if any(char_confidences):
        counts = np.fromiter(map(len, char_confidences), np.intp, len(char_confidences))
        chars = np.fromiter(chain.from_iterable(char_confidences), np.float32)
    count = len(texts)
    codes, lengths = np.empty((count, WIDTH), np.uint8), np.empty(count, np.uint8)
    aligned = np.empty((count, WIDTH), np.float32)
    _encode(TO_CODES, np.frombuffer(joined.encode(), np.uint8), counts, chars, codes, lengths, aligned)
    given = np.array(confidences, np.float32)
    return Texts(
        codes,
        lengths,
        country_codes(countries),
        given,
        aligned,
        np.array(are_candidates, np.bool_) if any(are_candidates) else np.zeros(count, np.bool_),
        given,
    )


def _has_padding(text: str) -> bool:
    for mark in plates.ASCII_PADDING:
        if mark in text:
            return True
    return False


def _of_canonical_texts(texts: Sequence[str], char_confidences: Sequence[Sequence[float]]) -> list[Sequence[float]]:
    """Return the confidences without those of characters that the canonical texts leave out."""
    return [
        _of_canonical_text(text, confidences) if confidences else ()
        for text, confidences in zip(texts, char_confidences, strict=False)
    ]


def _of_canonical_text(text: str, confidences: Sequence[float]) -> Sequence[float]:
    if len(confidences) != len(text) or not text.isascii() or len(confidences) == len(plates.as_read(text)):
        return confidences
    end = len(text.rstrip(LEFT_OUT_AT_ENDS))
    start = len(text) - len(text.lstrip(LEFT_OUT_AT_ENDS))
    return [
        confidence
        for confidence, character in zip(confidences[start:end], text[start:end], strict=True)
        if character not in plates.ASCII_SEPARATORS
    ]


@kernel
def _encode(
    to_codes: Codes,
    joined: NDArray[np.uint8],
    counts: Rows,
    confidences: NDArray[np.float32],
    codes: Codes,
    lengths: Lengths,
    aligned: NDArray[np.float32],
) -> None:
    """Encode one text after the other; each ends with a separator. `counts` says how many confidences each has."""
    begin, first = 0, 0
    for row in range(len(lengths)):
        end = begin
        while joined[end] != _SEPARATOR:
            end += 1
        text = joined[begin:end]
        length = encode_text(to_codes, text, codes[row])
        lengths[row] = length
        count = counts[row] if row < len(counts) else 0
        align(to_codes, text, confidences[first : first + count], length, aligned[row])
        begin, first = end + 1, first + count


@step
def encode_text(to_codes: Codes, text: NDArray[np.uint8], codes: Codes) -> int:
    """Write the codes of a text, and return how many there are: none for a text that cannot be a plate."""
    length = 0
    for byte in text:
        code = to_codes[byte]
        if code != LEFT_OUT:
            if length < WIDTH:
                codes[length] = code
            length += 1
    if length > WIDTH:
        length = 0
    for at in range(length, WIDTH):
        codes[at] = 0
    return length


@step
def align(
    to_codes: Codes,
    text: NDArray[np.uint8],
    confidences: NDArray[np.float32],
    length: int,
    aligned: NDArray[np.float32],
) -> None:
    """Put each confidence at the position of its character in the canonical text."""
    count = 0
    if len(confidences) == length:
        for at in range(length):
            aligned[at] = confidences[at]
        count = length
    elif len(confidences) == len(text) and length > 0:
        for at in range(len(text)):
            if to_codes[text[at]] != LEFT_OUT:
                aligned[count] = confidences[at]
                count += 1
    for at in range(count, WIDTH):
        aligned[at] = np.nan
