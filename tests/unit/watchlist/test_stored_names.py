"""Values that an earlier version wrote to Redis are still read, and are written in the same form."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from anpr.contracts.events import Entry, Generation
from anpr.contracts.local_days import LocalDays
from anpr.watchlist.store.applied_change import LoggedChange
from anpr.watchlist.store.keys import keys_of, parts_of
from anpr.watchlist.store.manifest import Manifest, PreviousState, unknown_fields
from anpr.watchlist.store.validity_end import ValidityEnd

MANIFEST = (
    b'{"generation":{"epoch":1790000000000,"number":7},"applied_at":"2026-03-01T12:00:00Z","replication_id":"abc",'
    b'"lists":{"stolen":{"generation":{"epoch":1790000000000,"number":6},"applied_at":"2026-03-01T11:00:00Z",'
    b'"entries":251,"base":{"id":"f00d","chunks":2,"entries":250,"digest":"d1","plates":"p1"},'
    b'"base_since":"2026-03-01T10:00:00Z","deltas":[{"generation":{"epoch":1790000000000,"number":6},"entries":1,'
    b'"digest":"0123456789"}],"made_of":{"base_id":"beef","deltas":[{"generation":{"epoch":1790000000000,"number":5},'
    b'"entries":3,"digest":"fedcba"}]}}}}'
)
# 4,000 reads of a confidence of 0.6, and 150 of each higher one.
COUNTS = b"A" * 320 + b"oA8AAJYA" + b"AACWAAAAlgAAAJYA" * 13 + b"AAA="
CALIBRATED = MANIFEST[:-1] + (
    b',"calibrations":[{"site":"calais","camera":"front","counts":"' + COUNTS + b'","since":"2026-01-01T00:00:00Z",'
    b'"until":"2026-01-31T00:00:00Z","generation":{"epoch":1790000000000,"number":7},'
    b'"applied_at":"2026-03-01T12:00:00Z"}]}'
)
PREVIOUS_STATES = (
    b'[{"place":{"generation":{"epoch":1,"number":2},"applied_at":"2026-03-01T11:00:00Z","entries":1,'
    b'"base":{"id":"f00d","chunks":1,"entries":1,"digest":"d1","plates":"p1"},"base_since":"2026-03-01T10:00:00Z",'
    b'"deltas":[],"made_of":null},"replaced_at":"2026-03-01T12:00:00Z"}]'
)
LOGGED = (
    b'{"generation":{"epoch":1,"number":2},"list":"stolen","entries":2,"added":1,"changed":0,"removed":0,'
    b'"at":"2026-03-01T12:00:00Z","how":"apply","who":"ann","why":"the weekly file","file_sha256":"ab"}'
)


def test_a_manifest_names_the_snapshot_and_the_deltas_of_each_list() -> None:
    manifest = msgspec.json.decode(MANIFEST, type=Manifest)
    stolen = manifest.lists["stolen"]
    assert manifest.generation == Generation(epoch=1790000000000, number=7)
    assert (stolen.snapshot.id, stolen.snapshot.plates_digest) == ("f00d", "p1")
    assert stolen.snapshot_written_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert [delta.entries for delta in stolen.deltas] == [1]
    assert stolen.compacted_from is not None
    assert stolen.compacted_from.snapshot_id == "beef"
    assert set(keys_of(parts_of(stolen))) == {
        "anpr:watchlist:index:f00d",
        "anpr:watchlist:plates:f00d",
        "anpr:watchlist:chunk:f00d:0",
        "anpr:watchlist:chunk:f00d:1",
        "anpr:watchlist:delta:1790000000000.6:01234567",
    }


WITH_A_DEFAULT = MANIFEST[:-1] + b',"calibrations":[]}'


@pytest.mark.parametrize("stored", [MANIFEST, CALIBRATED, WITH_A_DEFAULT])
def test_every_field_that_was_written_so_far_is_known(stored: bytes) -> None:
    """A change is refused where a field is not."""
    assert unknown_fields(stored, msgspec.json.decode(stored, type=Manifest)) == []


def test_a_manifest_from_before_calibrations_has_none() -> None:
    assert msgspec.json.decode(MANIFEST, type=Manifest).calibrations == ()


def test_a_manifest_holds_how_often_each_calibrated_camera_gave_each_confidence() -> None:
    [calibration] = msgspec.json.decode(CALIBRATED, type=Manifest).calibrations
    assert (calibration.name, calibration.reads) == (("calais", "front"), 10_000)
    assert calibration.counts == (*[0] * 60, 4_000, *[150] * 40)
    assert calibration.generation == Generation(epoch=1790000000000, number=7)


def test_a_logged_change_has_its_user_and_command() -> None:
    logged = msgspec.json.decode(LOGGED, type=LoggedChange)
    assert (logged.user, logged.command, logged.applied_at.hour) == ("ann", "apply", 12)


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        (MANIFEST, Manifest),
        (CALIBRATED, Manifest),
        (PREVIOUS_STATES, list[PreviousState]),
        (LOGGED, LoggedChange),
    ],
    ids=["manifest", "calibrated", "previous states", "logged change"],
)
def test_a_value_that_is_read_is_written_byte_for_byte(stored: bytes, kind: Any) -> None:
    assert msgspec.json.encode(msgspec.json.decode(stored, type=kind)) == stored


ENTRY = (
    b'{"entry_id":"1","revision":{"epoch":1,"number":2},"list":"stolen","plate":"AB12 CDE",'
    b'"valid_from":"2026-07-01T00:00:00Z","valid_until":"2026-08-01T00:00:00Z"}'
)


@pytest.mark.parametrize("codec", [msgspec.json, msgspec.msgpack])
def test_an_entry_from_before_days_keeps_its_moments_at_every_site(codec: Any) -> None:
    stored = codec.encode(msgspec.json.decode(ENTRY))
    entry = codec.decode(stored, type=Entry)
    end = codec.decode(stored, type=ValidityEnd)
    days = LocalDays({"calais": ZoneInfo("Europe/Paris")})
    assert (entry.valid_from_day, entry.valid_until_day) == (None, None)
    assert days.latest_end(end) == days.ends_at(entry, "calais") == datetime(2026, 8, 1, tzinfo=UTC)
    assert days.starts_at(entry, "calais") == datetime(2026, 7, 1, tzinfo=UTC)
    assert codec.decode(codec.encode(entry), type=Entry) == entry


@pytest.mark.parametrize("codec", [msgspec.json, msgspec.msgpack])
def test_the_days_of_an_entry_are_written_as_dates(codec: Any) -> None:
    entry = msgspec.structs.replace(
        msgspec.json.decode(ENTRY, type=Entry), valid_from_day=date(2026, 7, 1), valid_until_day=date(2026, 7, 31)
    )
    stored = codec.encode(entry)
    assert codec.decode(stored)["valid_until_day"] == "2026-07-31"
    assert codec.decode(stored, type=Entry) == entry
    assert codec.decode(stored, type=ValidityEnd).valid_until_day == date(2026, 7, 31)
