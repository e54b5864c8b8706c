"""The day files: who may write them, what a closed one is, and what a damaged one says."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from anpr.history import schema, sqlite_days
from anpr.history.database import HistoryUnavailableError
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import SCHEMA_VERSION, SIGHTING_TABLES
from anpr.history.sqlite_days import SqliteDays
from anpr.kafka.interfaces import Record
from anpr.matching.read_keys import folded_key
from anpr.runtime.errors import InputError, UnavailableError
from tests.support.history import at, everything, read_record, record_all

FIRST = date(2026, 11, 29)


def recorded(folder: Path, *records: Record) -> SightingStore:
    store = SightingStore(SqliteDays(folder, SIGHTING_TABLES))
    record_all(store, *records)
    return store


def test_only_one_process_writes_a_folder(tmp_path: Path) -> None:
    store = recorded(tmp_path, read_record(0))
    with pytest.raises(UnavailableError, match="another `anpr history`"):
        SqliteDays(tmp_path, SIGHTING_TABLES)
    store.close()
    SqliteDays(tmp_path, SIGHTING_TABLES).close()


def test_a_closed_day_is_one_file_and_its_copy_is_a_store(tmp_path: Path) -> None:
    store = recorded(tmp_path / "a", read_record(0, 0), read_record(1, 5))
    yesterday = tmp_path / "a" / "20261129.sqlite"
    assert not list(yesterday.parent.glob("20261129.sqlite-*")), "no journal is needed beside it"
    (tmp_path / "b").mkdir()
    shutil.copy(yesterday, tmp_path / "b")
    copy = SightingStore(SqliteDays(tmp_path / "b", SIGHTING_TABLES))
    assert everything(copy) == list(store.of_day(date(2026, 11, 29)))
    copy.close()
    store.close()


@pytest.mark.parametrize("left", ["20261129.sqlite.new-5b0f63d2", "20261129.sqlite.new-5b0f63d2-wal"])
def test_a_file_that_was_not_finished_when_the_process_was_killed_is_made_again(tmp_path: Path, left: str) -> None:
    (tmp_path / left).touch()
    store = recorded(tmp_path, read_record(0))
    assert store.count() == 1
    store.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["20261129.sqlite", "lock"]


def test_a_day_file_is_there_only_with_its_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_days, "prepare", lambda *_, **__: 1 / 0)
    store = SightingStore(SqliteDays(tmp_path, SIGHTING_TABLES))
    with closing(store), pytest.raises(ZeroDivisionError):
        record_all(store, read_record(0))
    assert [file.name for file in tmp_path.iterdir()] == ["lock"]


@pytest.mark.parametrize("is_writer", [True, False])
def test_an_empty_day_file_is_no_new_day(tmp_path: Path, is_writer: bool) -> None:
    recorded(tmp_path, read_record(0)).close()
    os.truncate(tmp_path / "20261129.sqlite", 0)
    with pytest.raises(InputError, match=r"20261129\.sqlite is empty: its sightings are lost"):
        SqliteDays(tmp_path, SIGHTING_TABLES, is_writer=is_writer)


def test_a_file_that_is_named_for_no_day_is_named(tmp_path: Path) -> None:
    (tmp_path / "20261399.sqlite").touch()
    with pytest.raises(InputError, match=r"20261399\.sqlite is named like a day file, but 20261399 is no day"):
        SqliteDays(tmp_path, SIGHTING_TABLES)


def test_the_file_with_another_schema_is_named(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "20261129.sqlite") as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with pytest.raises(InputError, match=r"20261129\.sqlite has no schema version; this program .* version \d+"):
        SqliteDays(tmp_path, SIGHTING_TABLES)


def test_only_the_service_that_keeps_an_older_file_upgrades_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(tmp_path, read_record(0)).close()
    monkeypatch.setattr(schema, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(InputError, match=r"20261129\.sqlite has schema version") as caught:
        SqliteDays(tmp_path, SIGHTING_TABLES, is_writer=False)
    assert "anpr history" in caught.value.next_step
    SqliteDays(tmp_path, SIGHTING_TABLES).close()
    SqliteDays(tmp_path, SIGHTING_TABLES, is_writer=False).close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "20261129.sqlite").write_bytes(b"AB12CDE" * 1000)
    with pytest.raises(HistoryUnavailableError, match=r"20261129\.sqlite: ") as caught:
        SqliteDays(tmp_path, SIGHTING_TABLES)
    assert "AB12CDE" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError, match="history cannot be kept in"):
        SqliteDays(tmp_path / "file" / "history", SIGHTING_TABLES)


def test_a_look_up_while_days_begin_gets_what_is_committed(tmp_path: Path) -> None:
    store = recorded(tmp_path, read_record(0))
    failures: list[Exception] = []
    stop = threading.Event()

    def look_up() -> None:
        while not stop.is_set():
            try:
                assert store.count() >= 1
                assert list(store.with_keys([folded_key("AB12CDE")], at(-86_400), at(40 * 86_400)))
            except Exception as error:  # noqa: BLE001  each is a failure of this test
                failures.append(error)

    thread = threading.Thread(target=look_up)
    thread.start()
    for day in range(1, 20):
        record_all(store, read_record(day, day * 86_400))
    stop.set()
    thread.join()
    store.close()
    assert failures == []


def test_an_error_of_a_look_up_tells_no_plate(tmp_path: Path) -> None:
    store = recorded(tmp_path, read_record(0))
    with sqlite3.connect(tmp_path / "20261129.sqlite") as connection:
        connection.execute("DROP TABLE sighting_keys")
    connection.close()
    with pytest.raises(HistoryUnavailableError, match=r"20261129\.sqlite: no such table") as caught:
        list(store.with_keys([folded_key("AB12CDE")], at(-10), at(10)))
    assert folded_key("AB12CDE") not in str(caught.value)
    store.close()


def test_nothing_of_a_day_that_has_gone_is_left_on_the_disk(tmp_path: Path) -> None:
    store = recorded(tmp_path, read_record(0, plate="GONE 123"), read_record(1, 5))
    with sqlite3.connect(tmp_path / "20261129.sqlite") as other:
        other.execute("SELECT * FROM sightings").fetchall()  # it keeps a journal beside the file
        store.drop(date(2026, 11, 29))
    other.close()
    store.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["20261130.sqlite", "lock"]


@pytest.mark.parametrize("left", [".gone", "-wal", "-shm"])
def test_what_a_crash_left_of_a_day_goes_at_the_next_start(tmp_path: Path, left: str) -> None:
    recorded(tmp_path, read_record(0)).close()
    (tmp_path / f"20261128.sqlite{left}").write_bytes(b"GONE123")
    store = recorded(tmp_path, read_record(1))
    store.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["20261129.sqlite", "lock"]
    assert store.count() == 2


def test_a_look_up_while_days_go_gets_what_is_left(tmp_path: Path) -> None:
    days = [FIRST + timedelta(days=number) for number in range(20)]
    store = recorded(tmp_path, *(read_record(number, number * 86_400) for number in range(21)))
    look_ups = SightingStore(SqliteDays(tmp_path, SIGHTING_TABLES, is_writer=False))
    failures: list[Exception] = []
    stop = threading.Event()

    def look_up() -> None:
        while not stop.is_set():
            try:
                assert look_ups.count() >= 1
                assert store.count() >= 1
            except Exception as error:  # noqa: BLE001  each is a failure of this test
                failures.append(error)

    thread = threading.Thread(target=look_up)
    thread.start()
    for day in days:
        store.drop(day)
    stop.set()
    thread.join()
    look_ups.close()
    assert failures == []
    assert store.days() == [FIRST + timedelta(days=20)], "no look-up makes a file anew"
    store.close()


# Opening 300 files must not need 300 descriptors. The limit is of a process, so it is set in one of its own.
_WITH_FEW_DESCRIPTORS = """
import resource, sys
from pathlib import Path

from anpr.history.sighting_store import SightingStore
from anpr.history.sqlite_days import SqliteDays
from anpr.history.sql_tables import SIGHTING_TABLES

resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
for is_writer in (True, False):
    store = SightingStore(SqliteDays(Path(sys.argv[1]), SIGHTING_TABLES, is_writer=is_writer))
    print(len(store.next_offsets()), store.count())
    store.close()
"""


def test_a_year_of_days_is_read_with_few_descriptors(tmp_path: Path) -> None:
    recorded(tmp_path, read_record(0)).close()
    for number in range(1, 300):
        day = FIRST + timedelta(days=number)
        shutil.copy(tmp_path / "20261129.sqlite", tmp_path / f"{day:%Y%m%d}.sqlite")
    command = [sys.executable, "-c", _WITH_FEW_DESCRIPTORS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["1", "300"] * 2, done.stderr


# A process that maps the file would end: so the test has one of its own.
_ON_A_FILE_THAT_IS_CUT_SHORT = """
import os, sys
from datetime import date
from pathlib import Path

from sqlalchemy import select

from anpr.history.database import HistoryUnavailableError
from anpr.history.sqlite_days import SqliteDays
from anpr.history.sql_tables import SIGHTINGS, SIGHTING_TABLES

days = SqliteDays(Path(sys.argv[1]), SIGHTING_TABLES)
rows = days.rows(select(SIGHTINGS.c.read).execution_options(yield_per=1), date.min, date.max)
print(len(next(rows)))
os.truncate(Path(sys.argv[1]) / "20261129.sqlite", 40_000)
try:
    list(rows)
except HistoryUnavailableError as error:
    print(error)
"""


def test_a_file_that_is_cut_short_while_it_is_read_is_named_and_ends_no_process(tmp_path: Path) -> None:
    recorded(tmp_path, *(read_record(number, number / 1000) for number in range(1000))).close()
    command = [sys.executable, "-c", _ON_A_FILE_THAT_IS_CUT_SHORT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1\nthe history file ")
    assert "20261129.sqlite: " in done.stdout


def test_a_reader_holds_no_file_open_and_reads_a_day_made_anew(tmp_path: Path) -> None:
    recorded(tmp_path, read_record(0), read_record(1)).close()
    look_ups = SightingStore(SqliteDays(tmp_path, SIGHTING_TABLES, is_writer=False))
    assert look_ups.count() == 2
    assert open_files(tmp_path) == []
    store = SightingStore(SqliteDays(tmp_path, SIGHTING_TABLES))
    store.drop(FIRST)
    record_all(store, read_record(2))
    assert look_ups.count() == 1
    store.close()
    look_ups.close()
    assert open_files(tmp_path) == []


def test_a_look_up_that_is_abandoned_holds_no_file_open(tmp_path: Path) -> None:
    recorded(tmp_path, *(read_record(number, number / 1000) for number in range(1000))).close()
    look_ups = SightingStore(SqliteDays(tmp_path, SIGHTING_TABLES, is_writer=False))
    found = look_ups.of_day(FIRST)
    assert next(found).offset == 0
    assert open_files(tmp_path)
    del found
    assert open_files(tmp_path) == []
    look_ups.close()


def test_the_writer_holds_no_day_open_that_is_closed_or_has_gone(tmp_path: Path) -> None:
    store = recorded(tmp_path, read_record(0), read_record(1, 5))
    assert store.count() == 2
    record_all(store, read_record(2, 86_405))
    assert {name.split(".")[0] for name in open_files(tmp_path)} == {"20261201", "lock"}
    look_up = store.of_day(FIRST)
    assert next(look_up).offset == 0
    assert store.count() == 3
    for day in store.days():
        store.drop(day)
    assert list(look_up) == []
    assert open_files(tmp_path) == ["lock"]
    store.close()
    assert open_files(tmp_path) == []


def open_files(folder: Path) -> list[str]:
    """Return the names of the files of a folder that this process holds open, deleted ones too."""
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(descriptor.readlink()))
        except FileNotFoundError:  # that of the listing itself
            continue
    return sorted(Path(link).name for link in links if link.startswith(f"{folder}/"))
