"""Lines of JSON as programs write them: some begin a file with a byte order mark. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def json_line(line: bytes) -> bytes:
    """Return the JSON of a line, without white space and byte order mark; empty for a blank line."""
    return line.strip().removeprefix(BYTE_ORDER_MARK).strip()


def numbered_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, each with its number from 1."""
    for number, line in enumerate(lines, start=1):
        if content := json_line(line):
            yield number, content
