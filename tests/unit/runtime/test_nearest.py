import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.runtime.nearest import nearest, nearest_note

SITES = ("calais", "coquelles", "dunkerque", "dover", "folkestone")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Calais", "calais"),
        ("calias", "calais"),
        ("DUNKIRK", ""),
        ("dunkerke", "dunkerque"),
        ("dovr", "dover"),
        ("folkstone", "folkestone"),
        ("Lille", ""),
        ("", ""),
        ("x" * 100_000, ""),
    ],
)
def test_a_name_is_named_only_when_it_is_near(name: str, found: str) -> None:
    assert nearest(name, SITES) == found


def test_the_note_is_left_out_when_no_name_is_near() -> None:
    assert nearest_note("calias", SITES, "the nearest is") == "; the nearest is 'calais'"
    assert not nearest_note("Lille", SITES, "the nearest is")
    assert not nearest_note("calais", (), "the nearest is")


@given(st.sampled_from(SITES), st.data())
def test_one_letter_that_is_wrong_is_always_near(site: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(site)))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    for written in (site[:place] + letter + site[place:], site[:place] + letter + site[place + 1 :]):
        assert nearest(written, SITES) == site
