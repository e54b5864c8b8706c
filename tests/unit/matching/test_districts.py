"""A read with the gap behind the district tells two German vehicles apart; a read without it matches both."""

from datetime import UTC, datetime

import pytest

from anpr.contracts.events import Candidate, Entry
from anpr.index_store.index_file import decode_delta, decode_snapshot, encode_delta, encode_snapshot
from anpr.matching.compare import compare
from anpr.matching.index import Index
from tests.support.strategies import a_read, an_entry, generation

BERLIN, BERGHEIM = "B-MW 555", "BM-W 555"


def listed(plate: str, country: str | None = "DE", tolerance: str = "tolerant") -> Entry:
    return an_entry(plate, plate=plate, country=country, tolerance=tolerance)


def tiers(
    plate: str, *entries: Entry, country: str | None = "DE", candidates: tuple[str, ...] = ()
) -> dict[str, str]:
    texts = tuple(Candidate(plate=text, confidence=0.4) for text in candidates)
    read = a_read(plate=plate, country=country, candidates=texts)
    [matches] = Index.build(entries, generation(1)).match([read])
    return {match.entry.entry_id: match.tier for match in matches}


@pytest.mark.parametrize("country", ["DE", None])
@pytest.mark.parametrize(
    ("read", "found"),
    [
        ("B-MW 555", {BERLIN}),
        ("BM-W 555", {BERGHEIM}),
        ("b mw555", {BERLIN}),
        ("BM·W·555", {BERGHEIM}),
        ("BMW555", {BERLIN, BERGHEIM}),
        ("BMW 555", {BERLIN, BERGHEIM}),
        ("B M W 5 5 5", {BERLIN, BERGHEIM}),
    ],
)
def test_only_a_read_with_the_gap_tells_two_german_vehicles_apart(
    read: str, found: set[str], country: str | None
) -> None:
    entries = listed(BERLIN, country), listed(BERGHEIM, country)
    assert tiers(read, *entries) == dict.fromkeys(found, "exact")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("S-AB 123", "SA-B 123"),
        ("MÜ-A 12", "M-ÜA 12"),
        ("HRO-A 1E", "HR-OA 1E"),
        ("B-MW 55H", "BM-W 55H"),
        ("B-MW 5*", "BM-W 5*"),
    ],
)
def test_every_kind_of_german_plate_is_told_apart_so(first: str, second: str) -> None:
    tier = "pattern" if "*" in first else "exact"
    entries = listed(first), listed(second)
    for plate in (first, second):
        assert tiers(plate.replace("*", "55"), *entries) == {plate: tier}
        without = plate.replace("*", "55").replace("-", "").replace(" ", "")
        assert tiers(without, *entries) == {first: tier, second: tier}


def test_an_entry_that_does_not_show_its_district_rings_for_both() -> None:
    entry = listed("BMW555")
    assert [tiers(plate, entry) for plate in (BERLIN, BERGHEIM, "BMW 555")] == [{"BMW555": "exact"}] * 3


def test_an_entry_with_tolerance_near_is_shown_as_near_for_the_other_district() -> None:
    """A camera may put the gap in the wrong position. Of the operator's choice, such a read goes to review."""
    entries = listed(BERLIN), listed(BERGHEIM, tolerance="near")
    assert tiers("B-MW 555", *entries) == {BERLIN: "exact", BERGHEIM: "near"}
    assert tiers("8-MW 555", *entries) == {BERLIN: "folded", BERGHEIM: "near"}


@pytest.mark.parametrize("read", ["B-MW 55", "D B-MW 555", "B-MW 5555"])
def test_another_district_and_another_difference_are_no_match(read: str) -> None:
    entries = listed(BERLIN, tolerance="near"), listed(BERGHEIM, tolerance="near")
    assert BERGHEIM not in tiers(read, *entries)


def test_the_country_of_the_list_decides_then_that_of_the_read() -> None:
    hungarian = an_entry("AAB-B 123", plate="AAB-B 123", country="HU")
    assert tiers("AA-BB 123", hungarian, country=None) == {"AAB-B 123": "exact"}
    unknown = listed("AAB-B 123", None)
    assert tiers("AA-BB 123", unknown, country="HU") == {"AAB-B 123": "exact"}
    assert tiers("AA-BB 123", unknown, country="DE") == {}


def test_a_candidate_with_the_letters_of_the_read_has_its_gap() -> None:
    entries = listed(BERLIN), listed(BERGHEIM)
    assert tiers("B-MW 555", *entries, candidates=("BMW555",)) == {BERLIN: "exact"}
    assert tiers("BMW555", *entries, candidates=("B-MW 555",)) == {BERLIN: "exact", BERGHEIM: "exact"}
    assert tiers("B-MW 555", *entries, candidates=("BM-W 555",)) == {BERLIN: "exact", BERGHEIM: "exact"}


def test_the_live_index_tells_them_apart_from_its_file_and_its_delta() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    built = encode_snapshot(Index.build([listed(BERLIN), listed("S-AB 123")], generation(1)), now)
    snapshot = decode_snapshot(memoryview(b"".join(built)))
    changed = snapshot.index.with_changes([listed(BERGHEIM)], [], generation(2))
    delta = decode_delta(memoryview(b"".join(encode_delta(changed, now))))
    live = delta.index([snapshot.index.snapshot], snapshot.index.generation)
    texts = (BERLIN, BERGHEIM, "BMW555", "SA-B 123")
    matches = live.match([a_read(plate=text, country="DE") for text in texts])
    found = [{match.entry.entry_id for match in of_read} for of_read in matches]
    assert found == [{BERLIN}, {BERGHEIM}, {BERLIN, BERGHEIM}, set()]


def notes(read: str, entry: Entry) -> tuple[str, ...]:
    return compare(a_read(plate=read, country="DE"), entry, 1_000).notes


def test_the_explanation_says_what_the_gap_shows() -> None:
    near = listed(BERGHEIM, tolerance="near")
    assert notes("BM-W 555", near) == ()
    assert "the read does not show where the district ends: this may be BM-W555 or B-MW555" in notes("BMW555", near)
    assert "read as B-MW555, listed as BM-W555: these may be two vehicles" in notes("B-MW 555", near)


@pytest.mark.parametrize("read", ["B-MW 555", "8-MW 555", "B-MW 55", "D B-MW 555", "BMW555"])
def test_explain_gives_the_tier_and_the_score_of_the_index(read: str) -> None:
    entry = listed(BERGHEIM, tolerance="near")
    [matches] = Index.build([entry], generation(1)).match([a_read(plate=read, country="DE")])
    comparison = compare(a_read(plate=read, country="DE"), entry, 1_000)
    found = [(match.tier, match.score) for match in matches]
    assert ([(comparison.tier, comparison.score)] if comparison.is_match else []) == found
    if comparison.score is not None:
        odds = 2.718281828459045 ** sum(part.log_odds for part in comparison.evidence)
        assert comparison.score == pytest.approx(odds / (1 + odds), abs=1e-4)
