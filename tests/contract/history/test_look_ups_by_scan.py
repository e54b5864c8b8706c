"""In files and in PostgreSQL, a look-up finds what a plain scan with the reference matcher finds in all sightings."""

from collections.abc import Callable
from contextlib import closing

from hypothesis import HealthCheck, given, settings

from anpr.contracts.look_up import LookUp
from anpr.history.retention import KeptStores
from anpr.kafka.interfaces import Record
from tests.support.look_up_cases import cases, found_by_scan, found_by_search, numbers_noted, same


# A real database takes its time; the property in memory tries many more.
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases(), numbers_noted)
def test_a_whole_plate_finds_what_a_scan_finds(
    open_stores: Callable[[], KeptStores], case: tuple[LookUp, list[Record]], noted: int
) -> None:
    with closing(open_stores()) as stores:
        for day in stores.sightings.days():
            stores.sightings.drop(day)
        found, sightings = found_by_search(stores, *case, noted)
    assert same(found, found_by_scan(case[0], sightings, by_engine=False))
