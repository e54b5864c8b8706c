"""A look-up asks a closed day only for keys that it holds, and misses nothing: one suite, run on both databases."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update

from anpr.history import sighting_store
from anpr.history.database import Database
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import HELD_KEYS, SIGHTING_KEYS, SIGHTING_TABLES, VERSION
from anpr.kafka.interfaces import Record
from anpr.matching.read_keys import folded_key, keys_near
from tests.support.databases import OpenDatabase
from tests.support.history import EVENING, everything, read_record, record_all

FIRST, TODAY = EVENING.date(), EVENING.date() + timedelta(days=3)
SINCE, UNTIL = EVENING - timedelta(days=9), EVENING + timedelta(days=9)


@pytest.fixture
def open_database(database_opener: OpenDatabase) -> Callable[[], Database]:
    return lambda: database_opener(SIGHTING_TABLES)


@pytest.fixture
def database(open_database: Callable[[], Database]) -> Database:
    return open_database()


@pytest.fixture
def store(database: Database) -> SightingStore:
    """Return a store of which two days are closed and noted, and asked before; a third one is open."""
    store = SightingStore(database)
    record_all(store, read_of("AB12CDE", 0), read_of("KL98XYZ", 1), read_of("AB12CDF", 2, day=1))
    record_all(store, read_of("AB12CDE", 3, day=3))
    note(store)
    assert found(store, "AB12CDE") == [3, 2, 0]
    return store


def read_of(plate: str, offset: int, day: int = 0) -> Record:
    return read_record(offset, day * 86_400, plate=plate)


def note(store: SightingStore) -> int:
    """Note all closed days, and return how many there were."""
    return sum(1 for _ in iter(lambda: store.note_held_keys(TODAY), False))


def noted(database: Database) -> list[int]:
    return sorted(row.day for row in database.rows(select(HELD_KEYS.c.day), date.min, date.max))


def found(store: SightingStore, plate: str) -> list[int]:
    return [sighting.offset for sighting in store.with_keys(keys_near(plate), SINCE, UNTIL)]


def test_a_closed_day_is_noted_once_and_the_open_one_is_not(store: SightingStore, database: Database) -> None:
    assert len(noted(database)) == 2
    assert note(store) == 0
    assert found(store, "KL98XYZ") == [1]
    assert found(store, "ZZ99ZZZ") == []


@pytest.mark.parametrize("is_noted_again", [False, True])
def test_what_another_process_adds_to_a_noted_day_is_found(
    store: SightingStore, database: Database, *, is_noted_again: bool
) -> None:
    other = SightingStore(database)
    record_all(other, read_of("ZZ99ZZZ", 4, day=1))
    if is_noted_again:
        assert note(other) == 1
    assert found(store, "ZZ99ZZZ") == [4]
    assert found(store, "AB12CDE") == [3, 2, 0]


def test_nothing_is_noted_of_a_vehicle_that_was_erased(store: SightingStore, database: Database) -> None:
    assert store.erase(lambda _: True, lambda *_: None) == 4
    assert noted(database) == []
    assert note(store) == 2
    assert found(store, "AB12CDE") == []


def test_what_is_noted_goes_with_its_day(store: SightingStore, database: Database) -> None:
    store.drop(FIRST)
    assert len(noted(database)) == 1
    assert found(store, "AB12CDE") == [3, 2]
    record_all(store, read_of("AB12CDE", 5))
    assert found(store, "AB12CDE") == [3, 2, 5]


def test_very_many_keys_find_what_few_find(store: SightingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    record_all(store, read_of("XY99ABC", 6, day=1))  # two days are noted no more, or not yet
    before = [found(store, plate) for plate in ("AB12CDE", "XY99ABC", "KL98XYZ", "ZZ99ZZZ")]
    monkeypatch.setattr(sighting_store, "_MANY_KEYS", 1)
    assert [found(store, plate) for plate in ("AB12CDE", "XY99ABC", "KL98XYZ", "ZZ99ZZZ")] == before


def test_a_store_from_before_keys_were_noted_is_upgraded(
    store: SightingStore, open_database: Callable[[], Database]
) -> None:
    before = everything(store)
    database = store._database
    for day in database.days():
        with database.begin(day) as connection:
            HELD_KEYS.drop(connection, checkfirst=True)
            connection.execute(delete(SIGHTING_KEYS))
            connection.execute(update(VERSION).values(version=1))
    store = SightingStore(open_database())
    assert everything(store) == before
    assert found(store, "AB12CDE") == [3, 2, 0]
    assert note(store) == 2
    assert [s.offset for s in store.with_keys([folded_key("AB12CDE")], SINCE, UNTIL)] == [3, 0]
