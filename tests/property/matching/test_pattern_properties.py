from collections.abc import Sequence
from itertools import islice, product
from random import Random
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.plates import canonical_pattern
from anpr.matching.encoding.plate_codes import encode_plates
from anpr.matching.lookup import patterns
from anpr.matching.lookup.patterns import PatternTable, fits
from tests.support.reference_matcher import fits_pattern

# A read may have positions that were not read.
plates = st.text("AB1", min_size=1, max_size=16) | st.text("AB10O?", min_size=1, max_size=6)
listed = st.text("AB1??*", min_size=1, max_size=8) | st.builds(
    lambda piece, times, end: piece * times + end,
    st.sampled_from(("A", "?", "B?", "*A", "*?A")),
    st.integers(1, 12),
    st.sampled_from(("", "*", "B")),
)
# Fragments of one letter, fragments within others, with and without a `?`.
fragments = st.text("AB10O?", min_size=1, max_size=4).map(lambda text: f"*{text}*")


def found(listed: Sequence[str], texts: Sequence[str]) -> list[tuple[int, int]]:
    rows = list(range(100, 100 + len(listed)))
    read_rows, entry_rows = PatternTable.build(rows, listed).search(encode_plates(texts, [None] * len(texts)))
    return sorted(zip(read_rows.tolist(), entry_rows.tolist(), strict=True))


@given(
    st.lists((listed | fragments).map(canonical_pattern), max_size=12),
    st.lists(plates.filter(lambda text: text.strip("?")), max_size=6),
    st.sampled_from((1, 2, 128)),
)
def test_every_pattern_that_a_plate_fits_is_found_once_and_no_other(
    listed: list[str], texts: list[str], groups: int
) -> None:
    expected = [
        (row, 100 + number)
        for row, text in enumerate(texts)
        for number, pattern in enumerate(listed)
        if fits_pattern(text, pattern)
    ]
    with mock.patch.object(patterns, "MAX_GROUPS", groups):
        assert found(listed, texts) == expected


def test_of_a_hundred_thousand_fragments_every_one_in_a_plate_is_found() -> None:
    fragments = ["".join(letters) for letters in islice(product("ABCDEFGHIJ0123456789", repeat=4), 100_000)]
    numbers = {fragment: number for number, fragment in enumerate(fragments)}
    rng = Random(9)
    texts = ["".join(rng.choices("ABCDEFGHIJ0123456789?", k=rng.randint(1, 16))) for _ in range(200)]
    expected = {
        (row, 100 + numbers[text[start : start + 4]])
        for row, text in enumerate(texts)
        for start in range(len(text))
        if text[start : start + 4] in numbers
    }
    assert found([f"*{fragment}*" for fragment in fragments], texts) == sorted(expected)


def test_a_fragment_is_not_found_across_two_reads() -> None:
    assert found(["*ABC*", "*A*", "*C1*"], ["1A", "BC1", "", "X" * 14 + "AB", "C1"]) == [
        (0, 101),
        (1, 102),
        (3, 101),
        (4, 102),
    ]


def test_a_text_that_cannot_be_a_plate_fits_no_pattern() -> None:
    assert found(["*", "?*", "A*"], ["", "-", "A" * 17]) == []


def test_no_pattern_takes_long_to_compare() -> None:
    """An expression that tries every way to divide a plate among its wildcards would not end here."""
    pattern = "*A" * 15 + "*B"
    assert not fits(pattern, "A" * 64)
    assert found([pattern, "*" + "?*A" * 5], ["A" * 16]) == [(0, 101)]
