"""Lines of JSON as programs write them: some begin a file with a byte order mark. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# A text. One that does not end goes on to the end of the line, so that nobody looks for its end again and again.
_TEXT: Final = rb'"(?:[^"\\]|\\.)*+"?'
# A text, in which nothing is replaced, or one of the words.
_TEXT_OR_NOT_A_NUMBER: Final = re.compile(rb"(" + _TEXT + rb")|-?(?:NaN|Infinity)\b", re.DOTALL)
# A text, in which nothing opens or ends, or what opens or ends an object or a list.
_TEXT_OR_BRACKET: Final = re.compile(_TEXT + rb"|[\[{\]}]", re.DOTALL)
# No field of a read is nested so deep. How deep a decoder goes depends on how deep in the program it was called.
_MOST_NESTED: Final = 16
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

    NaN and Infinity become null, and so does what is nested deeper than any field of a read. In a text, a control
    character is escaped, a backslash that escapes nothing stands for itself (a path of Windows), and half a surrogate
    pair is a character that was decoded wrongly.
    """
    value = _TEXT_OR_NOT_A_NUMBER.sub(lambda found: _repaired_text(found[1]) if found[1] else b"null", value)
    return _cut_off_below(value)


def _cut_off_below(value: bytes) -> bytes:
    """Return JSON with null for what is nested too deep."""
    kept, depth, start = [], 0, 0
    for found in _TEXT_OR_BRACKET.finditer(value):
        if found[0] in {b"[", b"{"}:
            depth += 1
            if depth == _MOST_NESTED + 1:
                kept += [value[start : found.start()], b"null"]
        elif found[0] in {b"]", b"}"}:
            if depth == _MOST_NESTED + 1:
                start = found.end()
            depth -= 1
    return b"".join([*kept, value[start:]]) if depth <= _MOST_NESTED else value


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
