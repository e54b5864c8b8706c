import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.events import Candidate
from anpr.matching.explanation import differences, explain
from tests.support.strategies import a_read, an_entry

plates = st.text("ABO01I8", max_size=6)
O_AND_0 = "0 and O look the same on many plates"
I_AND_1 = "1 and I look the same on many plates"
OTHER = "a different character"
SWAPPED = "these two letters are swapped"
CONFUSED = "cameras often confuse 8 and B"


@pytest.mark.parametrize(
    ("read", "listed", "differences"),
    [
        ("AB12CDE", "AB12CDE", []),
        ("AB1OCDE", "AB10CDE", [(4, "O", "0", O_AND_0)]),
        ("AB10CDE", "AB1OCDE", [(4, "0", "O", O_AND_0)]),
        ("I0", "1O", [(1, "I", "1", I_AND_1), (2, "0", "O", O_AND_0)]),
        ("AB8", "ABB", [(3, "8", "B", CONFUSED)]),
        ("ABB", "AB8", [(3, "B", "8", CONFUSED)]),
        ("ABC", "ABD", [(3, "C", "D", OTHER)]),
        ("AB1CDE", "AB12CDE", [(4, "", "2", "the camera missed this digit")]),
        ("BCD", "ABCD", [(1, "", "A", "the camera missed this letter")]),
        ("ABXC", "ABC", [(3, "X", "", "the camera read an extra letter")]),
        ("ABC1", "ABC", [(4, "1", "", "the camera read an extra digit")]),
        ("BACD", "ABCD", [(1, "BA", "AB", SWAPPED)]),
        ("AB21", "AB12", [(3, "21", "12", "these two characters are swapped")]),
        (
            "B8C",
            "8BD",
            [
                (1, "B", "8", CONFUSED),
                (2, "8", "B", CONFUSED),
                (3, "C", "D", OTHER),
            ],
        ),
        ("A0CE", "AOCDE", [(2, "0", "O", O_AND_0), (4, "", "D", "the camera missed this letter")]),
        ("", "A", [(1, "", "A", "the camera missed this letter")]),
        ("A0I", "A1I", [(2, "0", "1", OTHER)]),
    ],
)
def test_each_letter_that_differs_is_named_with_its_position_and_the_reason(
    read: str, listed: str, differences: list[tuple[int, str, str, str]]
) -> None:
    explanation = explain(read, listed, a_read(), an_entry())
    assert (explanation.read_as, explanation.listed_as) == (read, listed)
    assert [(d.place, d.read, d.listed, d.why) for d in explanation.differences] == differences


def test_a_difference_has_its_position_in_the_read_and_in_the_listed_plate() -> None:
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
def test_on_a_british_plate_the_explanation_says_which_characters_look_the_same_there(
    read_country: str | None, listed_country: str | None
) -> None:
    explanation = explain("O", "0", a_read(country=read_country), an_entry(country=listed_country))
    assert [difference.why for difference in explanation.differences] == ["0 and O look the same on UK plates"]


def test_a_pattern_is_named() -> None:
    explanation = explain("AB1", "A*", a_read(), an_entry())
    assert (explanation.differences, explanation.notes) == ((), ("fits the pattern A*",))


def test_a_candidate_has_a_note_that_says_what_the_camera_read_first() -> None:
    read = a_read(plate="XY9", candidates=(Candidate(plate="XY8"), Candidate(plate="AB1")))
    explanation = explain("AB1", "AB1", read, an_entry(), candidate="AB1")
    assert explanation.notes == ("the camera's first reading was XY9; its third matches",)


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
def test_a_country_that_differs_from_the_listed_one_has_a_note(
    read_country: str | None, listed_country: str | None, notes: tuple[str, ...]
) -> None:
    explanation = explain("AB1", "AB1", a_read(country=read_country), an_entry(country=listed_country))
    assert explanation.notes == notes


def test_a_clock_that_cannot_be_trusted_has_a_note() -> None:
    explanation = explain("AB1", "AB1", a_read(clock_suspect=True), an_entry())
    [note] = explanation.notes
    assert "clock" in note
