"""The deltas of a list in Redis. A value never changes after it is written.

A reader gets None for a delta that is missing or does not fit its digest. There is a newer manifest then, and the
reader reads that.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw, Struct

from anpr.contracts.events import Entry, Generation
from anpr.contracts.local_days import LocalDays
from anpr.matching.encoding.encoded_entry import EncodedEntry, EntryFields
from anpr.watchlist.changes import Changes
from anpr.watchlist.store.keys import delta_key
from anpr.watchlist.store.manifest import DeltaRef
from anpr.watchlist.store.validity_end import ValidityEnd

# --- the same bytes, decoded as far as each question needs it ---


class _Delta(Struct, frozen=True):
    """A small change. It may include older deltas, so it says which generation removed each entry."""

    put: list[Entry]
    removed: dict[str, Generation]


class _EncodedDelta(Struct, frozen=True):
    put: list[Raw]
    removed: dict[str, Generation]


class _DeltaRows(Struct, frozen=True):
    put: list[EntryFields]


class _Revision(Struct, frozen=True):
    revision: Generation


class _DeltaRevisions(Struct, frozen=True):
    put: list[_Revision]
    removed: dict[str, Generation]


class _DeltaValidityEnds(Struct, frozen=True):
    put: list[ValidityEnd]
    removed: dict[str, Generation]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Delta).decode
_decode_encoded = msgspec.msgpack.Decoder(_EncodedDelta).decode
_decode_rows = msgspec.msgpack.Decoder(_DeltaRows).decode
_decode_revisions = msgspec.msgpack.Decoder(_DeltaRevisions).decode
_decode_validity_ends = msgspec.msgpack.Decoder(_DeltaValidityEnds).decode


def encode_delta(changes: Changes, generation: Generation) -> tuple[DeltaRef, bytes]:
    """Return the reference and the value of a delta that makes these changes."""
    value = _encode(_Delta(changes.put, dict.fromkeys(changes.removed, generation)))
    return DeltaRef(generation, changes.size, hashlib.sha256(value).hexdigest()), value


class DeltaStorage:
    """Reads deltas. Every method raises redis.RedisError."""

    def __init__(self, client: Any) -> None:
        """`client` is a redis.Redis that gives bytes."""
        self._redis = client

    def read(self, deltas: Sequence[DeltaRef], since: Generation | None = None) -> list[Changes] | None:
        """Return the changes of each delta; with `since`, only those of later generations."""
        values = self._values(deltas)
        return None if values is None else [_changes_since(since, _decode(value)) for value in values]

    def combine(self, deltas: Sequence[DeltaRef]) -> tuple[DeltaRef, bytes] | None:
        """Return one delta that makes the changes of all these in order, and its value.

        It names every id that any of the deltas names, as `combine_changes` does.
        """
        values = self._values(deltas)
        if values is None:
            return None
        latest, removed_by = _latest_entries(values), dict[str, Generation]()
        for value in values:
            removed_by |= _decode_encoded(value).removed
        put = [Raw(entry[1]) for entry in latest.values() if entry is not None]
        removed = {entry_id: removed_by[entry_id] for entry_id in sorted(latest) if latest[entry_id] is None}
        value = _encode(_EncodedDelta(put, removed))
        return DeltaRef(deltas[-1].generation, len(latest), hashlib.sha256(value).hexdigest()), value

    def latest_entries(self, deltas: Sequence[DeltaRef]) -> dict[str, EncodedEntry | None] | None:
        """Return by id the last state of each entry that the deltas name: None for a removed entry."""
        values = self._values(deltas)
        return None if values is None else _latest_entries(values)

    def update_validity_ends(self, ends: dict[str, datetime], deltas: Sequence[DeltaRef], days: LocalDays) -> bool:
        """Make the changes of the deltas in `ends`, the ends of validity by entry id. False: they are not whole."""
        values = self._values(deltas)
        for delta in map(_decode_validity_ends, values or ()):
            for entry_id in delta.removed:
                ends.pop(entry_id, None)
            ends.update((entry.entry_id, days.latest_end(entry)) for entry in delta.put)
        return values is not None

    def have_change_between(self, deltas: Sequence[DeltaRef], first: Generation, last: Generation) -> bool:
        """Tell whether these deltas are whole and one has a change of a generation from `first` to `last`."""
        values = self._values(deltas)
        decoded = map(_decode_revisions, values or ())
        generations = (
            generation
            for delta in decoded
            for generation in (*delta.removed.values(), *(entry.revision for entry in delta.put))
        )
        return any(first <= generation <= last for generation in generations)

    def _values(self, deltas: Sequence[DeltaRef]) -> list[bytes] | None:
        values = self._redis.mget([delta_key(delta) for delta in deltas]) if deltas else []
        are_whole = all(
            value is not None and hashlib.sha256(value).hexdigest() == delta.digest
            for value, delta in zip(values, deltas, strict=True)
        )
        return values if are_whole else None


def _changes_since(since: Generation | None, delta: _Delta) -> Changes:
    if since is None:
        return Changes(delta.put, list(delta.removed))
    removed = [entry_id for entry_id, removed_by in delta.removed.items() if removed_by > since]
    return Changes([entry for entry in delta.put if entry.revision > since], removed)


def _latest_entries(values: Sequence[bytes]) -> dict[str, EncodedEntry | None]:
    latest: dict[str, EncodedEntry | None] = {}
    for value in values:
        delta = _decode_encoded(value)
        latest.update(dict.fromkeys(delta.removed))
        rows = _decode_rows(value).put
        latest.update((row.entry_id, (row, encoded)) for row, encoded in zip(rows, delta.put, strict=True))
    return latest
