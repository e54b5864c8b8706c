"""Nothing that a plate cell holds is lost in silence: it is found as it stands, or refused, or counted."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from anpr.contracts import plates
from anpr.matching.index import Index
from anpr.watchlist.csv_cells import InvalidCellError, as_text
from anpr.watchlist.plate_cell import PlateCell, read_plate_cell
from tests.support.strategies import a_read, an_entry, every_character, generation

any_text = st.text(st.characters() | st.characters(categories=["Cs"]), max_size=64)
# What people write into a plate cell, in any order.
pieces = st.sampled_from(
    (
        "AB12",
        "CDE",
        "M-AB 123",
        "AB-123-CD",
        "12345",
        "GB",
        "D",
        "(F)",
        "UNKNOWN",
        "Mar",
        "1.0",
        "E+23",
        "#N/A",
        "and",
        "MÃœ",
        "Ü",
        "stolen",
        "Germany",
        "United Kingdom",
        "·",
        "B-MW 555",
        *" -./,;&()_%*?'\"=\n",
    )
)
# A whole plate, and what may stand beside it.
plates_of_countries = st.sampled_from(("AB12 CDE", "M-AB 123", "AB-123-CD", "WPI 10471", "141-D-12345"))
beside = st.sampled_from(("", "GB", "D", "(F)", "[PL]", "Ireland", "UK:", "stolen", "(stolen)", '"', "'", "="))
with_something = st.tuples(beside, plates_of_countries, beside).map(" ".join)
cells = (
    with_something | any_text | st.lists(pieces, max_size=7).map("".join) | st.lists(pieces, max_size=5).map(" ".join)
)
countries = st.sampled_from((None, "GB", "DE", "FR", "LU", "XK"))


def taken_from(cell: str, country: str | None) -> PlateCell | None:
    """Return what is taken from a cell, None when it is refused. Any other error is raised."""
    try:
        return read_plate_cell(cell, country)
    except InvalidCellError:
        return None


@given(cells, countries)
@example("AB12 CDE", "GB")
@example("GB AB12 CDE", None)
@example("AB12 CDE (GB)", "GB")
@example('"AB12 CDE"', None)
@example("AB12*", None)
def test_what_is_taken_is_found_by_a_read_of_the_same_text_or_it_is_counted(cell: str, country: str | None) -> None:
    taken = taken_from(cell, country)
    if taken is None or taken.notes:
        return
    entry = an_entry(plate=taken.plate, country=country, tolerance="exact")
    [[match]] = Index.build([entry], generation(1)).match([a_read(plate=as_text(cell), country=country)])
    assert match.tier == ("pattern" if plates.is_pattern(taken.plate) else "exact")


@given(cells, countries)
@example("AD:000AA 000AA", None)
@example("A:AAA A000A", None)
@example("Germany B-MW 555 (Germany)", None)
def test_what_is_taken_is_understood_whole_and_is_taken_again_from_itself(cell: str, country: str | None) -> None:
    taken = taken_from(cell, country)
    if taken is None:
        return
    assert not plates.not_understood(taken.plate)
    again = read_plate_cell(taken.plate, taken.country or country)
    assert (again.plate, again.key) == (taken.plate, taken.key)


def test_no_character_of_unicode_is_left_out_of_a_listed_plate_unless_it_separates() -> None:
    kept_apart = 0
    for character in every_character():
        taken = taken_from(f"AB1{character}2CD", None)
        if taken is None or taken.key != "AB12CD":
            continue
        kept_apart += 1
        is_letter_or_digit = unicodedata.category(character)[0] in "LN"
        assert not is_letter_or_digit or plates.as_read(character) == "", f"{character!r} is left out"
        assert plates.as_read(f"AB1{character}2CD") == "AB12CD", f"{character!r} is read otherwise"
    assert kept_apart < 400, "few characters separate; the variation selectors are most of them"
