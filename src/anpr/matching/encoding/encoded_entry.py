"""Entries in their encoded form, each beside the few fields that the index tables need.

Redis and the index file hold entries as msgpack. The index keeps these bytes unchanged, so a list of a million
entries becomes an index without decoding and encoding a million entries.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec
from msgspec import Raw, Struct

from anpr.contracts.events import Entry


class IndexedFields(Protocol):
    """The fields that the tables are built from. An `Entry` has them, and so has `EntryFields`."""

    @property
    def entry_id(self) -> str:
        """The entry's id."""

    @property
    def plate(self) -> str:
        """The plate or pattern as listed."""

    @property
    def country(self) -> str | None:
        """The plate's country."""

    @property
    def tolerance(self) -> str:
        """How exactly the plate must be read."""


class EntryFields(Struct, frozen=True, gc=False):
    """The indexed fields of an entry, decoded without the others."""

    entry_id: str
    plate: str
    country: str | None = None
    tolerance: str = "tolerant"


# The indexed fields of an entry, and the whole entry as msgpack.
EncodedEntry = tuple[IndexedFields, bytes | Raw]

_encode = msgspec.msgpack.Encoder().encode
_decode_list_of_fields = msgspec.msgpack.Decoder(list[EntryFields]).decode
_decode_list_of_raw = msgspec.msgpack.Decoder(list[Raw]).decode


def encode_entries(entries: Iterable[Entry]) -> Iterator[EncodedEntry]:
    """Encode entries."""
    return ((entry, _encode(entry)) for entry in entries)


def join_encoded(entries: Iterable[EncodedEntry]) -> bytes:
    """Return one msgpack list of these entries."""
    return _encode([blob if isinstance(blob, Raw) else Raw(blob) for _, blob in entries])


def split_encoded(joined: bytes) -> Iterator[EncodedEntry]:
    """Return the entries of a list that `join_encoded` made. Raises msgspec.DecodeError."""
    return zip(_decode_list_of_fields(joined), _decode_list_of_raw(joined), strict=True)
