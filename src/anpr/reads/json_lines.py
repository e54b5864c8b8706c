"""Lines of JSON as programs write them: some begin a file with a byte order mark. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# A text, in which nothing is replaced, or one of the words.
_NOT_A_NUMBER: Final = re.compile(rb'("(?:[^"\\]|\\.)*")|-?(?:NaN|Infinity)\b', re.DOTALL)


def json_line(line: bytes) -> bytes:
    """Return the JSON of a line, without white space and byte order mark; empty for a blank line."""
    return line.strip().removeprefix(BYTE_ORDER_MARK).strip()


def without_not_numbers(value: bytes) -> bytes:
    """Return JSON with null in place of NaN and Infinity, which several languages write and JSON does not have."""
    return _NOT_A_NUMBER.sub(lambda found: found[1] or b"null", value)


def numbered_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, each with its number from 1."""
    for number, line in enumerate(lines, start=1):
        if content := json_line(line):
            yield number, content
