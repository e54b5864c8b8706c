"""A look-up finds what a plain scan of every stored sighting would, with the reference matcher or the engine."""

from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.look_up import LookUp
from anpr.history.sighting import Sighting
from anpr.kafka.interfaces import Record
from tests.support.look_up_cases import Found, cases, found_by_scan, found_by_search, numbers_noted, same
from tests.support.look_ups import SearchInMemory


def found_in_memory(look_up: LookUp, records: list[Record], noted: int) -> tuple[list[Found], list[Sighting]]:
    with closing(SearchInMemory()) as site:
        return found_by_search(site.stores, look_up, records, noted)


@given(cases(), numbers_noted)
def test_a_whole_plate_finds_what_the_reference_matcher_finds_in_all_sightings(
    case: tuple[LookUp, list[Record]], noted: int
) -> None:
    found, sightings = found_in_memory(*case, noted)
    assert same(found, found_by_scan(case[0], sightings, by_engine=False))


partial_plates = st.sampled_from(("AB1?CDE", "AB1*", "*CDE", "*12C*", "?B12?", "A*2*E", "8?0*D", "B?1CD", "OI1?*"))


@given(partial_plates.flatmap(lambda pattern: cases(st.just(pattern))), numbers_noted)
def test_a_partial_plate_finds_what_the_reference_matcher_finds_in_all_sightings(
    case: tuple[LookUp, list[Record]], noted: int
) -> None:
    found, sightings = found_in_memory(*case, noted)
    assert same(found, found_by_scan(case[0], sightings, by_engine=False))


@given(
    cases(
        st.sampled_from(("MÜ AB 12", "MUE-AB 12", "BMW 555", "B-MW 555", "BM-W 555", "ÅB12345", "АВ12СЕ", "M?-AB12"))
    ),
    numbers_noted,
)
def test_umlauts_districts_and_other_alphabets_find_what_the_engine_finds_in_all_sightings(
    case: tuple[LookUp, list[Record]], noted: int
) -> None:
    found, sightings = found_in_memory(*case, noted)
    assert same(found, found_by_scan(case[0], sightings, by_engine=True))
