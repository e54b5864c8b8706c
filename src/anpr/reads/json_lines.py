"""Lines of JSON as programs write them: some begin a file with a byte order mark. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# A text, in which nothing is replaced, or one of the words.
_NOT_A_NUMBER: Final = re.compile(rb'("(?:[^"\\]|\\.)*")|-?(?:NaN|Infinity)\b', re.DOTALL)

# An escape in a text: both halves of a character beyond the first 65,536, one half alone, or any other.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def json_line(line: bytes) -> bytes:
    """Return the JSON of a line, without white space and byte order mark; empty for a blank line."""
    return line.strip().removeprefix(BYTE_ORDER_MARK).strip()


def without_not_numbers(value: bytes) -> bytes:
    """Return JSON with null in place of NaN and Infinity, which several languages write and JSON does not have."""
    return _NOT_A_NUMBER.sub(lambda found: found[1] or b"null", value)


def without_half_characters(value: bytes) -> bytes:
    """Return JSON with U+FFFD in place of half a character, which programs write that cut or misread a text."""
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], value)


def numbered_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, each with its number from 1."""
    for number, line in enumerate(lines, start=1):
        if content := json_line(line):
            yield number, content
