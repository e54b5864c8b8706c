"""Values that an earlier version wrote to Redis are still read, and are written in the same form."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from anpr.contracts.events import Generation
from anpr.watchlist.store.applied_change import LoggedChange
from anpr.watchlist.store.keys import keys_of
from anpr.watchlist.store.manifest import Manifest, PreviousState

MANIFEST = (
    b'{"generation":{"epoch":1790000000000,"number":7},"applied_at":"2026-03-01T12:00:00Z","replication_id":"abc",'
    b'"lists":{"stolen":{"generation":{"epoch":1790000000000,"number":6},"applied_at":"2026-03-01T11:00:00Z",'
    b'"entries":251,"base":{"id":"f00d","chunks":2,"entries":250,"digest":"d1","plates":"p1"},'
    b'"base_since":"2026-03-01T10:00:00Z","deltas":[{"generation":{"epoch":1790000000000,"number":6},"entries":1,'
    b'"digest":"0123456789"}],"made_of":{"base_id":"beef","deltas":[{"generation":{"epoch":1790000000000,"number":5},'
    b'"entries":3,"digest":"fedcba"}]}}}}'
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
    assert keys_of(stolen) == {
        "anpr:watchlist:index:f00d",
        "anpr:watchlist:plates:f00d",
        "anpr:watchlist:chunk:f00d:0",
        "anpr:watchlist:chunk:f00d:1",
        "anpr:watchlist:delta:1790000000000.6:01234567",
    }


def test_a_logged_change_has_its_user_and_command() -> None:
    logged = msgspec.json.decode(LOGGED, type=LoggedChange)
    assert (logged.user, logged.command, logged.applied_at.hour) == ("ann", "apply", 12)


@pytest.mark.parametrize(
    ("stored", "kind"),
    [(MANIFEST, Manifest), (PREVIOUS_STATES, list[PreviousState]), (LOGGED, LoggedChange)],
    ids=["manifest", "previous states", "logged change"],
)
def test_a_value_that_is_read_is_written_byte_for_byte(stored: bytes, kind: Any) -> None:
    assert msgspec.json.encode(msgspec.json.decode(stored, type=kind)) == stored
