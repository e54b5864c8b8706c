"""How often a camera gives each confidence is counted in a period of its sightings, by when they arrived."""

from pathlib import Path

from anpr.contracts.events import Candidate
from anpr.history.confidence_counts import count_confidences, count_some
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import SIGHTING_TABLES
from anpr.history.sqlite_days import SqliteDays
from tests.support.databases import OpenDatabase
from tests.support.history import at, read_record, record_all


def test_the_reads_of_a_period_are_counted_by_camera_and_hundredth_over_days(tmp_path: Path) -> None:
    store = SightingStore(SqliteDays(tmp_path / "sightings", SIGHTING_TABLES))
    record_all(
        store,
        read_record(0, -10, camera="one", confidence=0.9),  # before it
        read_record(1, -1, camera="one", confidence=0.9),
        read_record(2, 1, camera="one", confidence=0.904),
        read_record(3, 5, camera="one", confidence=None),  # the next day
        read_record(4, 6, camera="two", confidence=1.0),
        read_record(5, 9, camera="two", confidence=0.0),  # behind it
    )
    progress: list[tuple[int, int]] = []
    counts = count_confidences(store, at(-1), at(9), lambda *done: progress.append(done))
    store.close()
    assert {camera: (reads.reads, sum(reads.by_confidence)) for camera, reads in counts.items()} == {
        "one": (3, 2),
        "two": (1, 1),
    }
    assert counts["one"].by_confidence[90] == 2
    assert counts["two"].by_confidence[100] == 1
    assert progress == [(1, 2), (2, 2)]


def test_what_is_no_whole_plate_says_nothing_about_the_doubts_of_plates(tmp_path: Path) -> None:
    """A camera that also reads signs is unsure of them. Its doubts of plates are none the less seldom."""
    store = SightingStore(SqliteDays(tmp_path / "sightings", SIGHTING_TABLES))
    record_all(
        store,
        read_record(0, 1, camera="one", plate="AB12CDE", confidence=0.9),
        read_record(1, 1, camera="one", plate="AB?2", confidence=0.8),
        read_record(2, 1, camera="one", plate="A-1", confidence=0.3),
        read_record(3, 1, camera="one", plate="UNKNOWN", confidence=0.3, candidates=(Candidate(plate="AB12CDE"),)),
    )
    counts = count_confidences(store, at(0), at(9), lambda *_: None)["one"]
    store.close()
    assert counts.reads == 4
    assert {hundredth: count for hundredth, count in enumerate(counts.by_confidence) if count} == {80: 1, 90: 1}


def test_a_few_reads_of_a_day_are_all_counted_in_whichever_partition_and_topic(database_opener: OpenDatabase) -> None:
    store = SightingStore(database_opener(SIGHTING_TABLES))
    record_all(store, read_record(0, -10, camera="one", confidence=0.9), topic_id="an older topic")
    records = [read_record(n, 1 + n % 3, partition=n % 2, camera="one", confidence=0.8) for n in range(100)]
    record_all(store, *records, read_record(100, 4, camera="two", confidence=0.7))
    counts = count_some(store, at(1), most=100_000)
    assert counts == count_confidences(store, at(1), at(9), lambda *_: None)
    assert (counts["one"].reads, counts["two"].by_confidence[70]) == (100, 1)
    assert count_some(store, at(90_000), most=100_000) == {}


def test_of_many_reads_some_of_each_hour_are_counted(database_opener: OpenDatabase) -> None:
    """A camera is less sure at night: the reads of the last hours alone would say that it has changed."""
    store = SightingStore(database_opener(SIGHTING_TABLES))
    record_all(
        store,
        *(read_record(n, 2 + 3_000 * (n // 50), camera=f"hour {n // 50}", confidence=0.5) for n in range(1_200)),
    )
    counts = count_some(store, at(2), most=120)
    assert {camera: one.reads for camera, one in counts.items()} == {f"hour {n}": 5 for n in range(24)}
