"""Lines come whole and numbered, however the bytes are split. The end of the stream ends its last line."""

import os

from hypothesis import given
from hypothesis import strategies as st

from anpr.gateway.line_reader import LineReader

LIMIT = 10


def lines_read(content: bytes, cuts: list[int]) -> list[tuple[int, bytes]]:
    reading, writing = os.pipe()
    lines = LineReader(reading, LIMIT)
    found = []
    at = 0
    for cut in [*sorted(cut % (len(content) + 1) for cut in cuts), len(content)]:
        if content[at:cut]:
            os.write(writing, content[at:cut])
            found += lines.read_lines(1)
        at = cut
    os.close(writing)
    while not lines.has_ended:
        found += lines.read_lines(1)
    os.close(reading)
    return found


@given(st.text("ab \n", max_size=60).map(str.encode), st.lists(st.integers(0, 60), max_size=5))
def test_lines_are_the_same_however_the_bytes_are_split(content: bytes, cuts: list[int]) -> None:
    whole = [(number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
    found = lines_read(content, cuts)
    assert [number for number, _ in found] == [number for number, _ in whole]
    for (_, line), (_, expected) in zip(found, whole, strict=True):
        assert line == expected or (len(line) > LIMIT and len(expected) > LIMIT and line[:LIMIT] == expected[:LIMIT])


def test_a_byte_order_mark_is_no_part_of_a_line_and_alone_is_a_blank_line() -> None:
    content = b"\xef\xbb\xbfab\n\xef\xbb\xbf\ncd\n"
    assert lines_read(content, []) == lines_read(content, [1, 2, 5, 7]) == [(1, b"ab"), (3, b"cd")]


def test_without_bytes_it_returns_after_the_wait() -> None:
    reading, writing = os.pipe()
    lines = LineReader(reading, LIMIT)
    assert lines.read_lines(0) == []
    assert not lines.has_ended
    os.close(writing)
    os.close(reading)
