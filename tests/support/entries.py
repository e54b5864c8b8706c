"""Entries and reads for tests. A test gives only the fields that it is about."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from anpr.contracts.events import NO_GENERATION, Entry, EntryEnded
from anpr.runtime.clock import system_clock

FOR_EVER = datetime(2099, 1, 1, tzinfo=UTC)


def entry(entry_id: str, plate: str, **fields: Any) -> Entry:
    """Return an entry that is valid for ever."""
    of_list = {"list": "stolen", "revision": NO_GENERATION, "valid_until": FOR_EVER}
    return msgspec.convert({**of_list, "entry_id": entry_id, "plate": plate, **fields}, Entry)


class NoLists:
    """A watchlist's home without any list, for tests of boards that are not about lists."""

    def read_manifest(self) -> None:
        return None

    def changes(self, before: object, after: object) -> None:  # noqa: ARG002  the interface of a store
        return None

    def entries_of(self, list_manifest: object, entry_ids: object) -> dict[str, Entry]:  # noqa: ARG002  as above
        return {}

    def tombstones(self, entry_ids: object) -> list[EntryEnded]:  # noqa: ARG002  as above
        return []


def read_line(read_id: str, site: str, plate: str, **fields: Any) -> bytes:
    """Return a read, captured now, as a camera sends it."""
    captured_at = system_clock().isoformat()
    read = {"read_id": read_id, "site": site, "plate": plate, "camera": "camera-1", "captured_at": captured_at}
    return json.dumps({**read, **fields}).encode()


def write_list(path: Path, *plates: str) -> Path:
    """Write a list of plates, each the id of its entry."""
    lines = [f"{plate},{plate},2099-01-01" for plate in plates]
    path.write_text("\n".join(["entry_id,plate,valid_until", *lines]) + "\n", "utf-8")
    return path
