"""A country prefix, the country letters read as part of a plate, does not hide a listed vehicle."""

import pytest

from anpr.matching.encoding.plate_codes import encode_plates
from anpr.matching.index import Index
from anpr.reference_data import tables
from tests.support.strategies import a_read, an_entry, generation


def tiers(read: str, listed: str, tolerance: str = "tolerant", country: str | None = None) -> list[str]:
    others = [an_entry(f"other-{number}", plate=f"XX{number:04}X") for number in range(2_000)]
    index = Index.build([an_entry(plate=listed, tolerance=tolerance), *others], generation(1))
    [matches] = index.match([a_read(plate=read, country=country)])
    return [match.tier for match in matches]


@pytest.mark.parametrize(
    ("read", "listed"),
    [
        ("GBAB12CDE", "AB12CDE"),
        ("UK AB12 CDE", "AB12CDE"),
        ("D M-AB 1234", "MAB1234"),
        ("D·M•AB·1234", "MAB1234"),
        ("F AB-123-CD", "AB123CD"),
        ("NL 12-AB-CD", "12ABCD"),
        ("PL WA 12345", "WA12345"),
        ("IRL 12-D-12345", "12D12345"),
        ("B 1-ABC-234", "1ABC234"),
        ("RO B-123-ABC", "B123ABC"),
    ],
)
def test_a_plate_read_with_its_country_prefix_is_found_and_never_called_exact(read: str, listed: str) -> None:
    for country in (None, "GB", "FR"):
        assert tiers(read, listed, country=country) == ["folded"]


def test_the_country_prefix_is_named_in_the_explanation() -> None:
    index = Index.build([an_entry(plate="AB12CDE")], generation(1))
    [[match]] = index.match([a_read(plate="GB AB12CDE")])
    [difference] = match.explanation.differences
    assert (difference.read, difference.listed, difference.read_place) == ("GB", "", 1)
    assert "letters of GB" in difference.why
    assert match.plate == "AB12CDE"


@pytest.mark.parametrize(
    ("read", "listed", "tolerance"),
    [
        # the text behind the prefix is no plate of that country
        ("FAB12CDE", "AB12CDE", "tolerant"),
        ("GBAB1234", "AB1234", "tolerant"),
        # letters that are no country's badge
        ("XQAB12CDE", "AB12CDE", "tolerant"),
        # an entry that allows only its own plate
        ("GBAB12CDE", "AB12CDE", "exact"),
    ],
)
def test_other_letters_before_a_plate_are_no_country_prefix(read: str, listed: str, tolerance: str) -> None:
    assert tiers(read, listed, tolerance) == []


def test_a_plate_that_begins_like_a_country_prefix_matches_as_itself() -> None:
    """Many German plates begin with D: at a million entries AB1234 is not found behind each of them."""
    entries = [an_entry("itself", plate="DAB1234"), an_entry("behind", plate="AB1234")]
    [matches] = Index.build(entries, generation(1)).match([a_read(plate="D AB 1234", country="DE")])
    assert [(match.entry.entry_id, match.tier) for match in matches] == [("behind", "folded"), ("itself", "exact")]


def test_every_country_has_badges_that_the_tables_can_look_up() -> None:
    seen: set[str] = set()
    for country, syntax in tables.load("countries").items():
        for badge in syntax["badges"]:
            assert 1 <= len(badge) <= 3, country
            assert encode_plates([badge], [None]).text(0) == badge
            assert badge not in seen, "two countries with one badge"
            seen.add(badge)
