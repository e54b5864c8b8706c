import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.matching.explain import differences, explain
from tests.support.strategies import a_read, an_entry

plates = st.text("ABO01I8", max_size=6)
ONE_GLYPH = "one glyph on many plates"
MISREAD = "read differently"
SWAPPED = "two letters swapped"


@pytest.mark.parametrize(
    ("read", "listed", "differences"),
    [
        ("AB12CDE", "AB12CDE", []),
        ("AB1OCDE", "AB10CDE", [(4, "O", "0", ONE_GLYPH)]),
        ("AB10CDE", "AB1OCDE", [(4, "0", "O", ONE_GLYPH)]),
        ("I0", "1O", [(1, "I", "1", ONE_GLYPH), (2, "0", "O", ONE_GLYPH)]),
        ("AB8", "ABB", [(3, "8", "B", "often confused: 8 and B")]),
        ("ABB", "AB8", [(3, "B", "8", "often confused: 8 and B")]),
        ("ABC", "ABD", [(3, "C", "D", MISREAD)]),
        ("AB1CDE", "AB12CDE", [(4, "", "2", "a digit is missing here")]),
        ("BCD", "ABCD", [(1, "", "A", "a letter is missing here")]),
        ("ABXC", "ABC", [(3, "X", "", "one letter too many")]),
        ("ABC1", "ABC", [(4, "1", "", "one digit too many")]),
        ("BACD", "ABCD", [(1, "BA", "AB", SWAPPED)]),
        ("AB21", "AB12", [(3, "21", "12", "two characters swapped")]),
        (
            "B8C",
            "8BD",
            [
                (1, "B", "8", "often confused: 8 and B"),
                (2, "8", "B", "often confused: 8 and B"),
                (3, "C", "D", MISREAD),
            ],
        ),
        ("A0CE", "AOCDE", [(2, "0", "O", ONE_GLYPH), (4, "", "D", "a letter is missing here")]),
        ("", "A", [(1, "", "A", "a letter is missing here")]),
        ("A0I", "A1I", [(2, "0", "1", MISREAD)]),
    ],
)
def test_each_letter_that_differs_is_named_with_its_place_and_why(
    read: str, listed: str, differences: list[tuple[int, str, str, str]]
) -> None:
    explanation = explain(read, listed, a_read(), an_entry())
    assert (explanation.read_as, explanation.listed_as) == (read, listed)
    assert [(d.place, d.read, d.listed, d.why) for d in explanation.differences] == differences


def test_the_place_in_the_read_is_told_beside_the_place_in_the_list() -> None:
    assert [(d.place, d.read_place) for d in differences("AXB0", "ABO")] == [(2, 2), (3, 4)]
    assert [(d.place, d.read_place) for d in differences("AC0", "ABCO")] == [(2, None), (4, 3)]


@pytest.mark.parametrize(
    ("read", "listed", "marked_in_read", "marked_in_list"),
    [
        ("AB1O", "AB10", "O", "0"),
        ("AB1", "AXB1", "", "X"),
        ("AXB0", "ABO", "X0", "O"),
        ("BA1", "AB1", "BA", "AB"),
    ],
)
def test_the_letters_to_mark_are_those_that_differ(
    read: str, listed: str, marked_in_read: str, marked_in_list: str
) -> None:
    found = differences(read, listed)
    assert "".join(read[place] for difference in found for place in difference.span(read=True)) == marked_in_read
    assert "".join(listed[place] for difference in found for place in difference.span(read=False)) == marked_in_list


@pytest.mark.parametrize(("read_country", "listed_country"), [("GB", None), (None, "GB"), ("GB", "FR"), ("UK", None)])
def test_on_a_british_plate_one_glyph_is_said_to_be_the_rule(
    read_country: str | None, listed_country: str | None
) -> None:
    explanation = explain("O", "0", a_read(country=read_country), an_entry(country=listed_country))
    assert [difference.why for difference in explanation.differences] == ["one glyph on a UK plate"]


def test_a_pattern_is_named() -> None:
    explanation = explain("AB1", "A*", a_read(), an_entry())
    assert (explanation.differences, explanation.notes) == ((), ("fits the pattern A*",))


def test_a_candidate_is_said_to_be_one() -> None:
    explanation = explain("AB1", "AB1", a_read(), an_entry(), candidate="AB1")
    [note] = explanation.notes
    assert "not the camera's first reading" in note


@given(plates, plates)
def test_making_the_changes_in_the_read_gives_the_listed_plate(read: str, listed: str) -> None:
    changed = list(read)
    for difference in reversed(differences(read, listed)):
        letters = len(difference.read)
        at = difference.read_place
        if at is not None:
            assert read[at - 1 : at - 1 + letters] == difference.read
            changed[at - 1 : at - 1 + letters] = difference.listed
        else:
            behind = sum(len(d.listed) - len(d.read) for d in differences(read, listed) if d.place < difference.place)
            changed.insert(difference.place - 1 - behind, difference.listed)
    assert "".join(changed) == listed


@pytest.mark.parametrize(
    ("read_country", "listed_country", "notes"),
    [
        (None, None, ()),
        ("GB", None, ()),
        (None, "GB", ()),
        ("GB", "GB", ()),
        ("UK", "GB", ()),
        ("GB", "UK", ()),
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
