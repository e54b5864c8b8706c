"""SQLite and PostgreSQL keep sightings alike: one suite, run on both, on real servers."""

import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import create_engine, delete, text, update

from anpr.contracts import canary
from anpr.history import postgresql_days, schema
from anpr.history.database import Database
from anpr.history.postgresql_days import PostgresqlDays
from anpr.history.sighting import Source, sightings_of
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import SCHEMA_VERSION, SIGHTING_KEYS, SIGHTING_TABLES, VERSION
from anpr.kafka.interfaces import Record
from anpr.matching.read_keys import folded_key, read_keys
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import InputError
from tests.support.databases import OpenDatabase
from tests.support.history import EVENING, SITE, at, everything, read_record, record_all, written

LONG_AGO, LATER = EVENING - timedelta(days=400), EVENING + timedelta(days=400)


@pytest.fixture
def open_database(database_opener: OpenDatabase) -> Callable[[], Database]:
    return lambda: database_opener(SIGHTING_TABLES)


@pytest.fixture
def store(open_database: Callable[[], Database]) -> SightingStore:
    return SightingStore(open_database())


def test_a_sighting_holds_the_whole_read_and_its_position(store: SightingStore) -> None:
    record = read_record(
        7, partition=3, lane="2", confidence=0.5, candidates=({"plate": "AB12CDF"},), image="a/b.png"
    )
    record_all(store, record)
    [sighting] = everything(store)
    assert sighting == sightings_of(SITE, [record], "topic-1")[0]
    assert (sighting.source, sighting.offset, sighting.arrived_at) == (Source("topic-1", 3), 7, EVENING)
    assert (sighting.read.lane, sighting.read.confidence, sighting.read.image) == ("2", 0.5, "a/b.png")


def test_a_record_with_a_time_that_cannot_be_stops_no_other_and_is_kept_as_if_it_came_now(
    store: SightingStore,
) -> None:
    timeless = read_record(1)._replace(arrived_at=None)
    before = system_clock()
    record_all(store, read_record(0), timeless, read_record(2), read_record(3, seconds=3))
    assert store.next_offsets() == {Source("topic-1", 0): 4}
    arrived = {sighting.offset: sighting.arrived_at for sighting in everything(store)}
    assert sorted(arrived) == [0, 1, 2, 3]
    assert arrived[1] > before - timedelta(seconds=1)


def test_a_day_in_postgresql_comes_in_parts_however_many_sightings_it_has(postgresql_url: str) -> None:
    store = SightingStore(PostgresqlDays(postgresql_url, f"history-{uuid.uuid4().hex}", SIGHTING_TABLES))
    record_all(store, *(read_record(number) for number in range(1500)))
    engine = create_engine(postgresql_url.replace("postgresql:", "postgresql+psycopg:", 1))
    running = text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'FETCH FORWARD %'")
    with closing(store), engine.connect() as connection:
        rows = store.of_day(EVENING.date())
        assert next(rows).offset == 0
        assert connection.execute(running).scalar() == 1
        assert sum(1 for _ in rows) == 1499
    engine.dispose()


def test_a_connection_that_postgresql_has_ended_meanwhile_is_made_again(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_days, "_IDLE_SECONDS", 0)
    schema = f"history-{uuid.uuid4().hex}"
    store = SightingStore(PostgresqlDays(postgresql_url, schema, SIGHTING_TABLES))
    record_all(store, read_record(0))
    assert store.count() == 1
    engine = create_engine(postgresql_url.replace("postgresql:", "postgresql+psycopg:", 1))
    end = text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE :its")
    with closing(store), engine.connect() as connection:
        assert connection.execute(end, {"its": f'%"{schema}"%'}).scalar() == 1
        assert store.count() == 1
    engine.dispose()


@pytest.mark.parametrize(
    "fields",
    [
        {"plate": "AB12 CDE"},
        {"plate": "KL98 XYZ", "candidates": ({"plate": "ab12-cde", "confidence": 0.2},)},
        {"plate": "GB AB12CDE"},
        {"plate": "AB12 CDE 75", "country": "FR"},
        {"plate": "AB?2 CDE"},
        {"plate": "UNKNOWN", "candidates": ({"plate": "AB12CDE"},)},
    ],
)
def test_a_sighting_is_found_by_every_key_that_the_engine_derives_of_it(
    store: SightingStore, fields: dict[str, Any]
) -> None:
    record_all(store, read_record(0, **fields), read_record(1, plate="ZZ99 ZZZ"))
    wanted, _ = everything(store)
    keys = read_keys([wanted.read])[0]
    assert keys
    for key in keys:
        assert list(store.with_keys([key], LONG_AGO, LATER)) == [wanted]
    assert list(store.with_keys([folded_key("NOT IT")], LONG_AGO, LATER)) == []


def test_a_look_up_gets_the_newest_first_and_only_those_of_the_period(store: SightingStore) -> None:
    record_all(store, *(read_record(offset, seconds=offset) for offset in range(5)))
    key = folded_key("AB12CDE")
    found = list(store.with_keys([key], LONG_AGO, LATER))
    assert [sighting.offset for sighting in found] == [4, 3, 2, 1, 0]
    assert {sighting.arrived_at.date() for sighting in found} == {date(2026, 11, 29), date(2026, 11, 30)}
    assert [sighting.offset for sighting in list(store.with_keys([key], at(1), at(3)))] == [2, 1]


def test_a_look_up_may_ask_for_very_many_keys(store: SightingStore) -> None:
    record_all(store, read_record(0))
    many = [f"{number:08}" for number in range(40_000)]
    assert len(list(store.with_keys([*many, folded_key("AB12CDE")], LONG_AGO, LATER))) == 1


def test_a_read_that_has_several_of_the_keys_is_found_once(store: SightingStore) -> None:
    record_all(store, read_record(0, plate="GB AB12CDE", candidates=({"plate": "AB12CDF"}, {"plate": "AB12CDG"})))
    [wanted] = everything(store)
    assert len(keys := read_keys([wanted.read])[0]) > 3
    assert list(store.with_keys(keys, LONG_AGO, LATER)) == [wanted]


def test_a_part_of_a_key_finds_the_reads_that_have_it(store: SightingStore) -> None:
    record_all(store, read_record(0), read_record(1, plate="AB1"), read_record(2, plate="XAB12CDE"))
    for pattern, offsets in {"481": [1], "481*": [1, 0], "*C?E": [2, 0], "?481*": [2], "481?C?E": [0]}.items():
        found = store.with_keys_like(pattern, LONG_AGO, LATER)
        assert [sighting.offset for sighting in found] == offsets, pattern


def test_reads_that_share_an_id_and_no_more_show_each(store: SightingStore) -> None:
    again = {"read_id": "1", "captured_at": EVENING}
    others: list[dict[str, Any]] = [again | {"camera": "b"}, again | {"captured_at": at(1)}]
    record_all(store, *(read_record(offset, **fields) for offset, fields in enumerate([again, *others])))
    assert len(list(store.with_keys([folded_key("AB12CDE")], LONG_AGO, LATER))) == 3


def test_canaries_and_what_is_no_read_are_not_kept_but_read_past(store: SightingStore) -> None:
    records = [
        Record("reads", 0, 0, EVENING, written(canary.read(SITE, EVENING))),
        Record("reads", 0, 1, EVENING, b"not json"),
        Record("reads", 0, 2, EVENING, None),
        read_record(3, site="dover"),
        read_record(4, plate="?"),
    ]
    record_all(store, *records)
    assert (store.count(), store.next_offsets()) == (0, {Source("topic-1", 0): 5})
    record_all(store, read_record(5, plate=canary.PLATE, camera="calais-1-front"))
    assert store.count() == 1, "a vehicle with this plate, at another camera"


def test_records_that_come_again_change_nothing(store: SightingStore) -> None:
    records = [read_record(offset, seconds=offset) for offset in range(6)]
    record_all(store, *records)
    before = everything(store), store.next_offsets()
    record_all(store, *records[:3])
    record_all(store, *records)
    assert (everything(store), store.next_offsets()) == before


def test_a_topic_that_was_created_again_counts_from_0_and_hides_nothing(store: SightingStore) -> None:
    record_all(store, read_record(0), read_record(1))
    record_all(store, read_record(0, 1, read_id="of the new topic"), topic_id="topic-2")
    assert store.count() == 3
    assert store.next_offsets() == {Source("topic-1", 0): 2, Source("topic-2", 0): 1}


def test_what_is_stored_is_there_after_a_restart(open_database: Callable[[], Database]) -> None:
    records = [read_record(offset, seconds=offset, partition=offset % 2) for offset in range(6)]
    record_all(SightingStore(open_database()), *records)
    again = SightingStore(open_database())
    assert {s.offset: s.source.partition for s in everything(again)} == {n: n % 2 for n in range(6)}
    assert again.next_offsets() == {Source("topic-1", 0): 5, Source("topic-1", 1): 6}


def test_a_partition_is_read_on_behind_its_newest_record_whichever_day_that_was(
    open_database: Callable[[], Database],
) -> None:
    store = SightingStore(open_database())
    record_all(store, read_record(0, 0), read_record(1, 4), read_record(0, 1, partition=1))
    record_all(store, read_record(2, 1))  # the broker's clock has stepped back over midnight
    assert SightingStore(open_database()).next_offsets() == {Source("topic-1", 0): 3, Source("topic-1", 1): 1}


def set_version(database: Database, version: int | None) -> None:
    with database.begin(EVENING.date()) as connection:
        if version is None:
            connection.execute(VERSION.delete())
        else:
            connection.execute(update(VERSION).values(version=version))


@pytest.mark.parametrize("version", [0, SCHEMA_VERSION + 1, None])
def test_a_store_of_an_unknown_schema_version_is_refused_by_name(
    open_database: Callable[[], Database], version: int | None
) -> None:
    database = open_database()
    record_all(SightingStore(database), read_record(0))
    set_version(database, version)
    with pytest.raises(InputError, match=r"has (no schema version|schema version \d+); this program .* version \d+"):
        open_database()


def as_older(database: Database) -> None:
    """Make a store as if a program with one folding table less had written it: its only key is an old one."""
    for day in database.days():
        with database.begin(day) as connection:
            connection.execute(delete(SIGHTING_KEYS).where(SIGHTING_KEYS.c.key != folded_key("AB12CDE")))
            connection.execute(update(SIGHTING_KEYS).values(key="OLD"))


def test_an_older_store_is_upgraded_and_holds_what_a_rebuild_would(
    open_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SightingStore(database := open_database())
    record_all(
        store, *(read_record(offset, seconds=offset, candidates=({"plate": "KL98XYZ"},)) for offset in range(4))
    )
    before = everything(store), store.next_offsets()
    as_older(database)
    assert list(store.with_keys([folded_key("AB12CDE"), folded_key("KL98XYZ")], LONG_AGO, LATER)) == []
    monkeypatch.setattr(schema, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    store = SightingStore(open_database())
    assert (everything(store), store.next_offsets()) == before
    for plate in ("AB12CDE", "KL98XYZ"):
        assert len(list(store.with_keys([folded_key(plate)], LONG_AGO, LATER))) == 4
    assert list(store.with_keys(["OLD"], LONG_AGO, LATER)) == []
    record_all(store, read_record(4, seconds=5))
    assert len(list(store.with_keys([folded_key("AB12CDE")], LONG_AGO, LATER))) == 5, "it is kept on"
    monkeypatch.setattr(schema, "SCHEMA_VERSION", SCHEMA_VERSION)
    with pytest.raises(InputError, match=f"has schema version {SCHEMA_VERSION + 1}; this program"):
        open_database()


def test_a_crash_while_a_store_is_upgraded_leaves_it_as_it_was(
    open_database: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SightingStore(database := open_database())
    record_all(store, read_record(0))
    before = everything(store), store.next_offsets()
    as_older(database)
    with monkeypatch.context() as patched:
        patched.setattr(schema, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
        patched.setattr(schema, "derive_again", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            open_database()
    store = SightingStore(open_database())
    assert (everything(store), store.next_offsets()) == before
    assert len(list(store.with_keys(["OLD"], LONG_AGO, LATER))) == 1


def test_an_error_of_the_database_tells_no_plate(store: SightingStore, open_database: Callable[[], Database]) -> None:
    record_all(store, read_record(0))
    database = open_database()
    with pytest.raises(Exception) as caught, database.begin(date(2026, 11, 29)) as connection:
        connection.exec_driver_sql("INSERT INTO nowhere (plate) VALUES ('AB12CDE')")
    assert "AB12CDE" not in str(caught.value)


def test_the_sightings_of_a_source_are_gone_through_by_their_offsets(store: SightingStore) -> None:
    # The clock of the broker steps back over midnight, and another topic has the same offsets.
    seconds = {10: 0, 11: 1, 12: 3, 13: 1, 14: 4}
    record_all(store, *(read_record(offset, second, partition=1) for offset, second in seconds.items()))
    record_all(store, read_record(11, partition=2), read_record(12, partition=1), topic_id="topic-2")
    source = Source("topic-1", 1)

    def offsets(start: int, end: int, seconds: float) -> list[int]:
        return sorted(sighting.offset for sighting in store.in_offsets(source, start, end, at(seconds)))

    assert offsets(0, 100, -1) == [10, 11, 12, 13, 14]
    assert offsets(11, 14, -1) == [11, 12, 13]
    assert offsets(0, 100, 1) == [11, 12, 13, 14]
    assert offsets(0, 100, 3) == [12, 14]
    assert store.first_offset(source, at(0)) == 10
    assert store.first_offset(source, at(3)) == 12
    assert store.first_offset(Source("topic-1", 2), at(0)) is None
    assert store.first_offset(source, LATER) is None
