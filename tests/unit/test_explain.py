import pytest

from anpr.matching.explain import explain
from tests.strategies import a_read, an_entry

ONE_GLYPH = "one glyph on many plates"
MISREAD = "read differently"


@pytest.mark.parametrize(
    ("read", "listed", "differences"),
    [
        ("AB12CDE", "AB12CDE", []),
        ("AB1OCDE", "AB10CDE", [(4, "O", "0", ONE_GLYPH)]),
        ("AB10CDE", "AB1OCDE", [(4, "0", "O", ONE_GLYPH)]),
        ("I0", "1O", [(1, "I", "1", ONE_GLYPH), (2, "0", "O", ONE_GLYPH)]),
        ("AB8", "ABB", [(3, "8", "B", MISREAD)]),
        ("A0I", "A1I", [(2, "0", "1", MISREAD)]),
    ],
)
def test_each_letter_that_differs_is_named_with_its_place_and_why(
    read: str, listed: str, differences: list[tuple[int, str, str, str]]
) -> None:
    explanation = explain(read, listed, a_read(), an_entry())
    assert (explanation.read_as, explanation.listed_as) == (read, listed)
    assert [(d.place, d.read, d.listed, d.why) for d in explanation.differences] == differences


@pytest.mark.parametrize(
    ("read_country", "listed_country", "notes"),
    [
        (None, None, ()),
        ("GB", None, ()),
        (None, "GB", ()),
        ("GB", "GB", ()),
        ("FR", "GB", ("country read FR, listed GB",)),
    ],
)
def test_a_country_read_otherwise_than_listed_is_said(
    read_country: str | None, listed_country: str | None, notes: tuple[str, ...]
) -> None:
    explanation = explain("AB1", "AB1", a_read(country=read_country), an_entry(country=listed_country))
    assert explanation.notes == notes


def test_a_clock_that_is_not_to_be_trusted_is_said() -> None:
    explanation = explain("AB1", "AB1", a_read(clock_suspect=True), an_entry())
    [note] = explanation.notes
    assert "clock" in note
