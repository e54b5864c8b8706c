"""One vehicle is one entry however its plate is written, and two vehicles are two."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.plates import canonical_pattern
from anpr.watchlist.csv_file import ListFile, read_list
from anpr.watchlist.entry_identity import entry_id, id_without_district
from tests.support.strategies import an_entry


def id_of(plate: str, country: str | None) -> str:
    return entry_id("stolen", plate, canonical_pattern(plate), country)


def plain_id(canonical: str, country: str) -> str:
    """Return the id as it was before any id named a district."""
    return hashlib.sha256(f"stolen\0{canonical}\0{country}".encode()).digest()[:16].hex()


def read(file: Path, *lines: str) -> ListFile:
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return read_list(file, "stolen")


def test_two_german_vehicles_with_one_text_are_two_entries(tmp_path: Path) -> None:
    content = read(
        tmp_path / "05.csv",
        "plate,country,reason,valid_until",
        "B-MW 555,DE,one car,2099-12-31",
        "BM-W 555,DE,quite another car,2099-12-31",
    )
    assert not content.faults
    assert [(entry.plate, entry.reason) for entry in content.entries] == [
        ("B-MW 555", "one car"),
        ("BM-W 555", "quite another car"),
    ]
    assert len({entry.entry_id for entry in content.entries}) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("B-MW 555", "BM-W 555"),
        ("S-AB 123", "SA-B 123"),
        ("MÜ-A 123", "M-ÜA 123"),
        ("HRO-A 1", "HR-OA 1"),
        ("B-MW 55E", "BM-W 55E"),
        ("B-MW 55H", "BM-W 55H"),
        ("B-MW 5*", "BM-W 5*"),
    ],
)
@pytest.mark.parametrize("country", ["DE", None])
def test_plates_of_two_districts_never_share_an_id(one: str, other: str, country: str | None) -> None:
    ids = {id_of(one, country), id_of(other, country), id_of(one.replace("-", "").replace(" ", ""), country)}
    assert len(ids) == 3, "the one without a gap may be either"


@pytest.mark.parametrize(
    ("country", "spellings"),
    [
        ("DE", ("B-MW 555", "b mw-555", "B·MW555", "B\u2013MW\u00a0555", "B MW 5 5 5")),
        ("DE", ("BMW555", "bmw 555", "BMW-555")),
        ("DE", ("MÜ-A 123", "mu a123", "MU\u0308-A 123")),
        ("DE", ("S-A 123", "SA123", "SA 123")),
        (None, ("B-MW 555", "b mw555")),
        ("GB", ("AB12 CDE", "ab12-cde", "AB12CDE", "A B12 CDE")),
        (None, ("AB12 CDE", "ab12-cde", "AB12CDE")),
        ("HU", ("AABB-123", "AA BB-123", "AABB123", "A-ABB 123")),
    ],
)
def test_one_vehicle_is_one_entry_however_it_is_written(country: str | None, spellings: tuple[str, ...]) -> None:
    assert len({id_of(plate, country) for plate in spellings}) == 1


@pytest.mark.parametrize(
    ("plate", "country"),
    [
        ("AB12 CDE", "GB"),
        ("AB-123-CD", "FR"),
        ("BMW 555", "DE"),
        ("S-A 123", "DE"),
        ("WUG-AB 12", "DE"),
        ("LJ AB-123", "SI"),
        ("AB12 CDE", None),
        ("1-ABC-234", "BE"),
        ("W-12345 A", "AT"),
        ("AB1? CDE", "GB"),
    ],
)
def test_an_id_that_needs_no_district_is_the_one_that_it_always_was(plate: str, country: str | None) -> None:
    assert id_of(plate, country) == plain_id(canonical_pattern(plate), country or "")
    entry = an_entry(id_of(plate, country), list="stolen", plate=plate, country=country)
    assert id_without_district(entry) is None


def test_an_id_with_a_district_says_which_id_it_replaces_and_an_id_of_the_file_replaces_none() -> None:
    entry = an_entry(id_of("B-MW 555", "DE"), list="stolen", plate="B-MW 555", country="DE")
    assert id_without_district(entry) == plain_id("BMW555", "DE")
    assert id_without_district(an_entry("E1", list="stolen", plate="B-MW 555", country="DE")) is None


@given(
    st.text("ABMWÜ-· .5?*", max_size=12), st.text("ABMWÜ-· .5?*", max_size=12), st.sampled_from((None, "DE", "GB"))
)
def test_plates_with_other_letters_never_share_an_id(one: str, other: str, country: str | None) -> None:
    if canonical_pattern(one) != canonical_pattern(other):
        assert id_of(one, country) != id_of(other, country)


def test_a_refused_line_is_known_by_the_same_id(tmp_path: Path) -> None:
    content = read(
        tmp_path / "list.csv",
        "plate,country,valid_until,priority",
        "B-MW 555,DE,2099-12-31,9",
        "D BM-W 555,,2099-12-31,9",
    )
    assert content.refused_ids == {id_of("B-MW 555", "DE"), id_of("BM-W 555", "DE")}
