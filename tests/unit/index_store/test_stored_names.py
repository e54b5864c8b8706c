"""A manifest that an earlier version wrote to disk is still read, and is written in the same form."""

import os
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import pytest

from anpr.contracts.events import Generation
from anpr.index_store.folder import IndexFolder

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEAD = (
    b'{"head":{"generation":{"epoch":1790000000000,"number":7},"applied_at":"2026-03-01T12:00:00Z",'
    b'"replication_id":"abc","lists":{"stolen":{"generation":{"epoch":1790000000000,"number":7},'
    b'"applied_at":"2026-03-01T12:00:00Z","entries":1,"base":{"id":"f00d","chunks":1,"entries":1,"digest":"d1",'
    b'"plates":"p1"},"base_since":"2026-03-01T10:00:00Z","deltas":[],"made_of":null}}},'
)
DELTAS = ("1790000000000.6-11223344.changes", "1790000000000.7-4e5f6071.changes")
ALONE = HEAD + b'"base":"1790000000000.5-0a1b2c3d.base","deltas":[]}\n'
WITH_DELTAS = HEAD + f'"base":"1790000000000.5-0a1b2c3d.base","deltas":["{DELTAS[0]}","{DELTAS[1]}"]}}\n'.encode()


@pytest.mark.parametrize(("text", "deltas"), [(ALONE, ()), (WITH_DELTAS, DELTAS)], ids=["alone", "with deltas"])
def test_a_manifest_on_disk_names_its_snapshot_and_its_deltas(
    tmp_path: Path, text: bytes, deltas: tuple[str, ...]
) -> None:
    stored = f"{crc32(text):08x}".encode() + text
    file = tmp_path / "current.json"
    file.write_bytes(stored)
    os.utime(file, (NOON.timestamp(), NOON.timestamp()))
    folder = IndexFolder(tmp_path)
    read = folder.read_manifest()
    assert (read.index_manifest.snapshot, read.index_manifest.deltas) == ("1790000000000.5-0a1b2c3d.base", deltas)
    assert read.index_manifest.generation == Generation(epoch=1790000000000, number=7)
    assert read.confirmed_at == NOON
    folder.activate(read.index_manifest, NOON)
    assert file.read_bytes() == stored
