import hashlib
from datetime import timedelta

import pytest

from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert, Correction, Entry, Read, ReadIdentity
from anpr.contracts.local_days import UTC_DAYS
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from anpr.reads.decoder import decode_read
from tests.support.strategies import a_read, an_entry, generation, minutes

LATE_AFTER = timedelta(seconds=60)


def raised(reads: list[Read], entries: list[Entry], now_minute: float = 0) -> list[Alert | Correction]:
    return raise_alerts(reads, Index.build(entries, generation(7)), minutes(now_minute), LATE_AFTER, UTC_DAYS)


READ = a_read(camera="camera-1").identity


def test_an_alert_id_is_the_first_128_bits_over_the_read_its_capture_as_written_and_the_entry() -> None:
    parts = b"calais\x00camera-1\x00read-1\x002026-03-01T12:00:00Z\x00entry-\xc3\xa9"
    assert alert_id(READ, "entry-é") == hashlib.sha256(parts).hexdigest()[:32]


def test_an_alert_id_never_changes_from_release_to_release() -> None:
    assert alert_id(READ, "entry-1") == "738696500808ca03a0e67c46c4dfabb3"


@pytest.mark.parametrize(
    "other",
    [
        {"site": "dover"},
        {"camera": "camera-2"},
        {"camera": ""},
        {"read_id": "read-2"},
        {"claimed_at": "2026-03-01T12:00:01Z"},
        {"claimed_at": "2026-03-01T13:00:00+01:00"},
        {"claimed_at": ""},
    ],
    ids=str,
)
def test_reads_that_differ_in_one_part_of_their_identity_never_share_an_alert(other: dict[str, str]) -> None:
    assert alert_id(READ._replace(**other), "entry-1") != alert_id(READ, "entry-1")


def test_the_parts_are_kept_apart_in_the_id() -> None:
    reads = [ReadIdentity("a", "b", "c", "d"), ReadIdentity("ab", "", "c", "d"), ReadIdentity("a", "bc", "", "d")]
    ids = {alert_id(read, entry) for read in reads for entry in ("e", "de")} | {
        alert_id(ReadIdentity("a", "b", "c", ""), "de")
    }
    assert len(ids) == 7


def test_a_camera_that_restarts_and_counts_from_1_again_raises_a_new_alert() -> None:
    def seen(captured_at: str, arrived: float) -> str:
        line = f'{{"read_id": "1", "site": "calais", "plate": "AB12CDE", "captured_at": "{captured_at}"}}'
        read = decode_read(line.encode(), "calais", minutes(arrived))
        [alert] = raised([read], [an_entry()], arrived)
        assert isinstance(alert, Alert)
        return alert.alert_id

    before = seen("2026-03-01T12:00:00Z", 0)
    assert seen("2026-03-01T17:00:00Z", 300) != before
    assert seen("2026-03-01T12:00:00Z", 20) == before, "the same read, sent again"
    future = seen("2027-01-01T00:00:00Z", 0)
    assert seen("2027-01-01T00:00:00Z", 20) == future, "when it arrived does not count, even for a wrong clock"
    assert seen("2027-01-01T05:00:00Z", 300) != future


def test_a_later_list_and_a_later_time_change_an_alert_but_never_its_id() -> None:
    [first] = raised([a_read()], [an_entry()])
    [again] = raise_alerts(
        [a_read()], Index.build([an_entry(reason="armed")], generation(8)), minutes(9), LATE_AFTER, UTC_DAYS
    )
    assert isinstance(first, Alert)
    assert isinstance(again, Alert)
    assert again.alert_id == first.alert_id
    assert (first.generation, again.generation) == (generation(7), generation(8))


@pytest.mark.parametrize(
    ("seconds_after_capture", "kind"), [(-5, "live"), (0, "live"), (60, "live"), (60.001, "late"), (3600, "late")]
)
def test_an_alert_is_late_when_the_capture_was_more_than_a_minute_ago(
    seconds_after_capture: float, kind: str
) -> None:
    [alert] = raised([a_read()], [an_entry()], seconds_after_capture / 60)
    assert isinstance(alert, Alert)
    assert alert.kind == kind
    assert alert.raised_at == minutes(seconds_after_capture / 60)


def test_an_alert_carries_the_whole_read_and_entry_and_the_plain_listed_plate() -> None:
    read, entry = a_read(plate="ab1o cde"), an_entry(plate="AB-10-CDE")
    [alert] = raised([read], [entry])
    assert isinstance(alert, Alert)
    assert (alert.read, alert.entry, alert.plate, alert.tier) == (read, entry, "AB10CDE", "equivalent")


def test_an_alert_of_a_pattern_is_about_the_plate_that_was_read() -> None:
    [alert] = raised([a_read(plate="ab12 cde")], [an_entry(plate="AB1*")])
    assert isinstance(alert, Alert)
    assert (alert.plate, alert.tier, alert.explanation.listed_as) == ("AB12CDE", "pattern", "AB1*")


def test_alerts_come_in_the_order_of_the_reads_one_for_each_entry() -> None:
    reads = [a_read("read-2"), a_read("read-0", plate="XY99ZZZ"), a_read("read-1")]
    entries = [an_entry("b"), an_entry("a")]
    alerts = [alert for alert in raised(reads, entries) if isinstance(alert, Alert)]
    assert [(alert.read.read_id, alert.entry.entry_id) for alert in alerts] == [
        ("read-2", "a"),
        ("read-2", "b"),
        ("read-1", "a"),
        ("read-1", "b"),
    ]


@pytest.mark.parametrize("plate", ["AB12CDE", "XY99ZZZ"])
def test_a_read_that_replaces_another_brings_a_correction_matched_or_not(plate: str) -> None:
    records = raised([a_read("read-2", plate=plate, camera="camera-1", supersedes="read-1")], [an_entry()])
    corrections = [record for record in records if isinstance(record, Correction)]
    correction = Correction(
        site="calais", read_id="read-2", supersedes="read-1", camera="camera-1", captured_at=minutes(0)
    )
    assert corrections == [correction]


def test_a_read_that_replaces_none_brings_no_correction() -> None:
    assert raised([a_read(plate="XY99ZZZ")], [an_entry()]) == []
