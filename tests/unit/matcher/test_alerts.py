import hashlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from anpr.board.board import Board
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert, Correction, Entry, Read, ReadIdentity
from anpr.contracts.local_days import UTC_DAYS
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from anpr.reads.decoder import decode_read
from tests.support.strategies import NOON, a_read, an_action, an_entry, as_written, generation, minutes

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


# --- from the camera's line to the board ---


class Port:
    """A port's matcher and board in memory, and an officer who settles incidents."""

    def __init__(self) -> None:
        self.board = Board(timedelta(minutes=30), timedelta(hours=72))
        self._index = Index.build([an_entry("e1", plate="AB12CDE"), an_entry("e2", plate="XY34ZZZ")], generation(1))
        self._settled = 0

    def sees(
        self, read_id: str, plate: str, camera: str, minute: float, *, again_at: float = 0, **fields: Any
    ) -> None:
        """Send a line, which arrives at the minute of its capture or later."""
        line = {"read_id": read_id, "site": "calais", "plate": plate, "camera": camera}
        captured_at = {"captured_at": as_written(minutes(minute))}
        arrived_at = minutes(max(minute, again_at))
        read = decode_read(msgspec.json.encode(line | captured_at | fields), "calais", arrived_at)
        for record in raise_alerts([read], self._index, arrived_at, LATE_AFTER, UTC_DAYS):
            if isinstance(record, Alert):
                self.board.add_alert(record)
            else:
                self.board.add_correction(record)

    def settle(self) -> None:
        """Record an outcome for every open incident."""
        for incident in self.board.incidents(NOON):
            if incident.status == "open":
                outcome = an_action(f"outcome-{self._settled}", "outcome", incident.best, outcome="stopped_found")
                self.board.add_action(outcome, self._settled)
                self._settled += 1

    def statuses(self) -> dict[str, list[str]]:
        """Return by plate the statuses of its incidents, in order of capture."""
        incidents = sorted(self.board.incidents(NOON), key=lambda incident: incident.first_captured_at)
        plates = {incident.plate for incident in incidents}
        return {plate: [i.status for i in incidents if i.plate == plate] for plate in plates}


@pytest.fixture
def port() -> Port:
    return Port()


def test_a_vehicle_that_was_settled_calls_again_after_its_camera_counts_from_1_again(port: Port) -> None:
    port.sees("1", "AB12CDE", "camera-1", 0)
    port.settle()
    port.sees("1", "AB12CDE", "camera-1", 0, again_at=20)
    assert port.statuses() == {"AB12CDE": ["closed"]}, "the same read, sent again"
    port.sees("1", "AB12CDE", "camera-1", 300)
    assert port.statuses() == {"AB12CDE": ["closed", "open"]}


def test_another_camera_with_the_same_read_id_calls_for_its_own_vehicle(port: Port) -> None:
    port.sees("1", "AB12CDE", "camera-1", 0)
    port.settle()
    port.sees("1", "AB12CDE", "camera-2", 60)
    port.sees("1", "XY34ZZZ", "camera-2", 60)
    assert port.statuses() == {"AB12CDE": ["closed", "open"], "XY34ZZZ": ["open"]}


def test_a_cameras_correction_withdraws_no_read_of_another_camera_or_of_before_its_restart(port: Port) -> None:
    port.sees("7", "XY34ZZZ", "camera-2", 0)
    port.sees("7", "AB12CDE", "camera-1", 0)
    port.sees("8", "QQ11QQQ", "camera-1", 11, supersedes="7")
    assert port.statuses() == {"XY34ZZZ": ["open"], "AB12CDE": ["open"]}
    port.sees("8", "QQ11QQQ", "camera-1", 0.1, supersedes="7")
    assert port.statuses() == {"XY34ZZZ": ["open"], "AB12CDE": ["corrected"]}


@pytest.mark.parametrize(
    "camera_time", [{"captured_at": None}, {"captured_at": "today"}], ids=["no time", "unreadable"]
)
def test_the_reads_of_a_camera_without_a_clock_are_told_apart_by_their_ids(
    port: Port, camera_time: dict[str, Any]
) -> None:
    port.sees("1", "AB12CDE", "camera-1", 0, **camera_time)
    port.settle()
    port.sees("1", "AB12CDE", "camera-1", 20, **camera_time)
    assert port.statuses() == {"AB12CDE": ["closed"]}
    port.sees("2", "AB12CDE", "camera-1", 300, **camera_time)
    assert port.statuses() == {"AB12CDE": ["closed", "open"]}


def test_a_camera_whose_clock_is_ahead_calls_again_after_a_restart(port: Port) -> None:
    port.sees("1", "AB12CDE", "camera-1", 0, captured_at="2031-01-01T00:00:00Z")
    port.settle()
    port.sees("1", "AB12CDE", "camera-1", 300, captured_at="2031-01-01T05:00:00Z")
    assert port.statuses() == {"AB12CDE": ["closed", "open"]}


def test_a_read_whose_time_a_gateway_writes_anew_is_one_read_more_of_the_same_incident(port: Port) -> None:
    port.sees("1", "AB12CDE", "camera-1", 0)
    port.settle()
    port.sees("1", "AB12CDE", "camera-1", 0, again_at=1, captured_at="2026-03-01T13:00:00.000+01:00")
    assert port.statuses() == {"AB12CDE": ["closed"]}
    [incident] = port.board.incidents(NOON)
    assert len(incident.alerts) == 2
