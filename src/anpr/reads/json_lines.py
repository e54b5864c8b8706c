"""Lines of JSON as programs write them: some begin a file with a byte order mark. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# A text, in which nothing is replaced, or one of the words.
_TEXT_OR_NOT_A_NUMBER: Final = re.compile(rb'("(?:[^"\\]|\\.)*")|-?(?:NaN|Infinity)\b', re.DOTALL)
_PIECE_OF_TEXT: Final = re.compile(
    rb"""(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"""
    rb"""|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"""
    rb"""|(?P<escape>\\u[0-9a-fA-F]{4}|\\["\\/bfnrt])"""
    rb"""|(?P<backslash>\\)|(?P<control>[\x00-\x1f])"""
)


def json_line(line: bytes) -> bytes:
    """Return the JSON of a line, without white space and byte order mark; empty for a blank line."""
    return line.strip().removeprefix(BYTE_ORDER_MARK).strip()


def repaired_json(value: bytes) -> bytes:
    """Return JSON without what several programs write and JSON does not have.

    NaN and Infinity become null. In a text, a control character is escaped, a backslash that escapes nothing stands
    for itself (a path of Windows), and half a surrogate pair is a character that was decoded wrongly.
    """
    return _TEXT_OR_NOT_A_NUMBER.sub(lambda found: _repaired_text(found[1]) if found[1] else b"null", value)


def _repaired_text(text: bytes) -> bytes:
    return _PIECE_OF_TEXT.sub(_repaired_piece, text)


def _repaired_piece(found: re.Match[bytes]) -> bytes:
    if found["half"]:
        return b"\\ufffd"
    if found["backslash"]:
        return rb"\\"
    return b"\\u%04x" % ord(found["control"]) if found["control"] else found[0]


def numbered_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, each with its number from 1."""
    for number, line in enumerate(lines, start=1):
        if content := json_line(line):
            yield number, content
