"""Steps through JSON as bytes and makes no values of it: for a kernel that needs a few fields of many records. Pure.

Each step takes the bytes, the position `at` where something must begin, and the `end` of the record, and returns the
position behind what it has stepped over. No step looks at the byte at `end` or behind, nor before `at`. So of records
that lie one behind the other, none can reach into another.

Whatever is not surely JSON that every reader understands in the same way is in doubt: the position is DOUBT. It lies
behind every end, so the steps that follow are in doubt too, and none has to ask. In doubt are escapes and letters
beyond ASCII, values nested deep, and all that is no JSON.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from anpr.matching.kernels import as_int, step

Bytes = NDArray[np.uint8]

DOUBT: Final = 1 << 60
MOST_NESTED: Final = 16
# Digits of a share behind its point: as a whole number they have 63 bits.
MOST_DIGITS: Final = 18

QUOTE, COMMA, COLON, ZERO, ONE, NINE = b'",:019'
OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST = b"{}[]"
_BACKSLASH, _SPACE, _TAB, _LINE_FEED, _RETURN = b"\\ \t\n\r"
_POINT, _MINUS, _PLUS, _SMALL_E, _LARGE_E, _N, _T, _F = b".-+eEntf"
_FIRST_BEYOND_ASCII: Final = 128
_NULL, _TRUE, _FALSE = tuple(b"null"), tuple(b"true"), tuple(b"false")
# More than a division of two rounded numbers can be wrong by.
_DIVISION_ERROR: Final = 2.0**-50


@step
def skip_space(data: Bytes, at: int, end: int) -> int:
    """Step over white space, where there is any."""
    while at < end and (data[at] == _SPACE or data[at] == _LINE_FEED or data[at] == _RETURN or data[at] == _TAB):
        at += 1
    return at


@step
def skip_mark(data: Bytes, at: int, end: int, mark: int) -> int:
    """Step over a mark such as a comma, and the white space around it."""
    at = skip_space(data, at, end)
    return skip_space(data, at + 1, end) if is_mark(data, at, end, mark) else DOUBT


@step
def is_mark(data: Bytes, at: int, end: int, mark: int) -> bool:
    """Return whether this mark is here."""
    return at < end and data[at] == mark


@step
def skip_text(data: Bytes, at: int, end: int) -> int:
    """Step over a text and its two quotes."""
    if not is_mark(data, at, end, QUOTE):
        return DOUBT
    at += 1
    while at < end and data[at] != QUOTE and data[at] != _BACKSLASH and _SPACE <= data[at] < _FIRST_BEYOND_ASCII:
        at += 1
    return at + 1 if is_mark(data, at, end, QUOTE) else DOUBT


@step
def skip_key(data: Bytes, at: int, end: int) -> int:
    """Step over a key, its colon, and the white space around that."""
    return skip_mark(data, skip_text(data, at, end), end, COLON)


@step
def skip_value(data: Bytes, at: int, end: int) -> int:
    """Step over any value."""
    depth, are_objects = 0, 0  # a bit for each object or list that the value is in, the innermost in the lowest
    while at < end:
        is_object = data[at] == OPEN_OBJECT
        if is_object or data[at] == OPEN_LIST:
            depth, are_objects = depth + 1, are_objects << 1 | is_object
            at = skip_space(data, at + 1, end)
            if depth > MOST_NESTED:
                return DOUBT
            if not is_mark(data, at, end, CLOSE_OBJECT if is_object else CLOSE_LIST):
                at = skip_key(data, at, end) if is_object else at
                continue
        else:
            at = _skip_scalar(data, at, end)
        while depth > 0:  # behind a value comes another one, or what it is in ends
            is_object = are_objects & 1 == 1
            at = skip_space(data, at, end)
            if is_mark(data, at, end, COMMA):
                at = skip_mark(data, at, end, COMMA)
                at = skip_key(data, at, end) if is_object else at
                break
            if not is_mark(data, at, end, CLOSE_OBJECT if is_object else CLOSE_LIST):
                return DOUBT
            at, depth, are_objects = at + 1, depth - 1, are_objects >> 1
        else:
            return at
    return DOUBT


@step
def _skip_scalar(data: Bytes, at: int, end: int) -> int:
    """Step over a text, a number, null, true or false."""
    if data[at] == QUOTE:
        return skip_text(data, at, end)
    if data[at] == _T:
        return _skip_word(data, at, end, _TRUE)
    if data[at] == _F:
        return _skip_word(data, at, end, _FALSE)
    return skip_null(data, at, end) if data[at] == _N else _skip_number(data, at, end)


@step
def is_null(data: Bytes, at: int, end: int) -> bool:
    """Return whether a value that begins here can only be null."""
    return is_mark(data, at, end, _N)


@step
def skip_null(data: Bytes, at: int, end: int) -> int:
    """Step over null."""
    return _skip_word(data, at, end, _NULL)


@step
def _skip_word(data: Bytes, at: int, end: int, word: tuple[int, ...]) -> int:
    if at + len(word) > end:
        return DOUBT
    for letter in word:
        if data[at] != letter:
            return DOUBT
        at += 1
    return at


@step
def _skip_number(data: Bytes, at: int, end: int) -> int:
    if is_mark(data, at, end, _MINUS):
        at += 1
    at = at + 1 if is_mark(data, at, end, ZERO) else _skip_digits(data, at, end)
    if is_mark(data, at, end, _POINT):
        at = _skip_digits(data, at + 1, end)
    if is_mark(data, at, end, _SMALL_E) or is_mark(data, at, end, _LARGE_E):
        at += 1
        if is_mark(data, at, end, _MINUS) or is_mark(data, at, end, _PLUS):
            at += 1
        at = _skip_digits(data, at, end)
    return at


@step
def _skip_digits(data: Bytes, at: int, end: int) -> int:
    """Step over one digit or more."""
    begin = at
    while at < end and ZERO <= data[at] <= NINE:
        at += 1
    return at if at > begin else DOUBT


@step
def read_share(data: Bytes, at: int, end: int) -> tuple[int, np.float32]:
    """Step over a number from 0 to 1 without an exponent, and return it too, rounded as from its nearest double."""
    if not (is_mark(data, at, end, ZERO) or is_mark(data, at, end, ONE)):
        return DOUBT, np.float32(0)
    digits, unit = as_int(data[at]) - ZERO, 1
    at += 1
    if is_mark(data, at, end, _POINT):
        first = at + 1
        at = _skip_digits(data, first, end)
        if at > first + MOST_DIGITS:  # or in doubt
            return DOUBT, np.float32(0)
        for position in range(first, at):
            digits, unit = 10 * digits + (as_int(data[position]) - ZERO), 10 * unit
    if digits > unit:
        return DOUBT, np.float32(0)
    share = np.float64(digits) / np.float64(unit)
    # Digits beyond 53 bits are rounded before they are divided. Only next to the middle of two results does it show.
    nearest = np.float32(share * (1 - _DIVISION_ERROR))
    return at if nearest == np.float32(share * (1 + _DIVISION_ERROR)) else DOUBT, nearest
