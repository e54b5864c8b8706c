"""B-MW 555 is of Berlin, BM-W 555 of Bergheim: one text, and the gap tells the two vehicles apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.districts import gaps, is_same_plate, shown_district


@pytest.mark.parametrize(
    ("plate", "length"),
    [
        ("B-MW 555", 1),
        ("BM-W 555", 2),
        ("b mw555", 1),
        ("B·MW 555", 1),
        ("B - MW-555", 1),
        ("B\u2013MW 555", 1),
        ("S-AB 123E", 1),
        ("SA-B 123H", 2),
        ("HRO-A 1", 3),
        ("HR OA 1", 2),
        ("MÜ-A 123", 2),
        ("M-ÜA 123", 1),
        ("B-MW 5 55", 1),
        ("B-MW ?55", 1),
        ("BM-W*", 2),
        ("B-*", 1),
    ],
)
def test_the_first_gap_of_a_german_plate_shows_its_district(plate: str, length: int) -> None:
    assert shown_district(plate, "DE") == length


@pytest.mark.parametrize(
    "plate",
    [
        "BMW555",  # no gap
        "BMW 555",  # the gap between letters and digits is on every plate
        "BMW-555",
        "B-M-W-555",  # a gap behind each letter
        "B\u200bMW555",  # nothing is drawn there
        "B-M 555",  # one letter and one letter: no other way
        "WUG-AB 12",
        "B-MW 55555",  # no German plate
        "*B-MW 555",
        "",
    ],
)
def test_a_german_plate_without_that_gap_or_with_one_possible_district_shows_none(plate: str) -> None:
    assert shown_district(plate, "DE") is None


@pytest.mark.parametrize("country", ["GB", "FR", "HU", "NL", "PL", "SI", "XX"])
def test_elsewhere_a_gap_shows_no_district(country: str) -> None:
    assert shown_district("B-MW 555", country) is None


def test_other_countries_have_districts_of_several_lengths_too() -> None:
    assert (shown_district("GU-STAV 1", "AT"), shown_district("G-USTAV 1", "AT")) == (2, 1)
    assert (shown_district("C AA 123", "MD"), shown_district("CAA 123", "MD")) == (1, None)


def test_without_a_country_the_text_may_be_of_any() -> None:
    assert (shown_district("B-MW 555", None), shown_district("BM-W 555", None)) == (1, 2)
    assert shown_district("AB12 CDE", None) is None


@pytest.mark.parametrize(
    ("plate", "other", "country", "is_same"),
    [
        ("B-MW 555", "b mw-555", "DE", True),
        ("B-MW 555", "BM-W 555", "DE", False),
        ("B-MW 555", "BMW555", "DE", True),
        ("B-MW 5*", "BM-W 5*", "DE", False),
        ("AB12 CDE", "ab12-cde", "GB", True),
        ("AB-BC 123", "ABB-C 123", "HU", True),
    ],
)
def test_two_plates_are_the_same_unless_they_show_different_districts(
    plate: str, other: str, country: str, is_same: bool
) -> None:
    assert is_same_plate(plate, other, country) is is_same


@given(st.text(st.characters(codec="ascii"), max_size=12))
def test_a_text_has_the_same_gaps_in_ascii_as_with_a_mark_that_shows_nothing(text: str) -> None:
    assert gaps(text) == gaps(text + "\u200b")
