"""Entries as they are kept: encoded, with the few fields that the tables are made of beside them.

A list of a million is laid out without a million entries being decoded and encoded again: what Redis or a file holds
of an entry is what the index keeps of it.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec
from msgspec import Raw, Struct

from anpr.contracts.events import Entry


class IndexedFields(Protocol):
    """What the tables are made of: an entry, or these fields of one."""

    @property
    def entry_id(self) -> str:
        """Its id."""

    @property
    def plate(self) -> str:
        """The plate or pattern as it is listed."""

    @property
    def country(self) -> str | None:
        """The plate's country."""

    @property
    def tolerance(self) -> str:
        """How surely it must be read."""


class Row(Struct, frozen=True, gc=False):
    """These fields of an entry."""

    entry_id: str
    plate: str
    country: str | None = None
    tolerance: str = "tolerant"


# An entry and its encoding, by which it is decoded again.
EncodedEntry = tuple[IndexedFields, bytes | memoryview | Raw]

_encode = msgspec.msgpack.Encoder().encode
_decode_row = msgspec.msgpack.Decoder(Row).decode
_decode_rows = msgspec.msgpack.Decoder(list[Row]).decode
_decode_bodies = msgspec.msgpack.Decoder(list[Raw]).decode


def encoded(entries: Iterable[Entry]) -> Iterator[EncodedEntry]:
    """Encode entries."""
    return ((entry, _encode(entry)) for entry in entries)


def encoded_in(value: bytes) -> Iterator[EncodedEntry]:
    """Return the entries of an encoded list. Raises msgspec.DecodeError."""
    return zip(_decode_rows(value), _decode_bodies(value), strict=True)


def encoded_list(entries: Iterable[EncodedEntry]) -> bytes:
    """Return what `encoded_in` takes."""
    return _encode([body if isinstance(body, Raw) else Raw(body) for _, body in entries])


def encoded_as(body: memoryview) -> EncodedEntry:
    """Return one entry with its fields. Raises msgspec.DecodeError."""
    return _decode_row(body), body
