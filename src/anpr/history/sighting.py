"""A sighting: a read as history keeps it, with its position on the topic. Pure.

A store files it under every key of `matching.read_keys`.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec.structs import fields

from anpr.contracts import canary
from anpr.contracts.events import Read, ReadIdentity
from anpr.kafka.interfaces import Record
from anpr.reads.decoder import BadRead, decode_read

_DEFAULTS = {field.name: field.default for field in fields(Read)}
_decode: Callable[[bytes], Read] = msgspec.json.Decoder(Read).decode


class Source(NamedTuple):
    """A partition of a topic. A topic that was created again has another id, and its offsets begin at 0 again."""

    topic_id: str
    partition: int


class Sighting(NamedTuple):
    """A whole read, when the broker got it, and its source and offset: they name one record."""

    source: Source
    offset: int
    arrived_at: datetime
    read: Read


def sightings_of(site: str, records: Sequence[Record], topic_id: str) -> list[Sighting]:
    """Return the sightings in these records of the reads topic. Canaries and what is no usable read are left out."""
    sightings = []
    for record in records:
        try:
            read = decode_read(record.value, site, record.arrived_at)
        except BadRead:
            continue
        if not canary.is_canary_read(read):
            sightings.append(Sighting(Source(topic_id, record.partition), record.offset, arrival(record), read))
    return sightings


def arrival(record: Record) -> datetime:
    """Return when the broker got a record, or when the recorder did."""
    if record.arrived_at is None:
        raise ValueError("the recorder gave a record no time")
    return record.arrived_at


def identity_digest(identity: ReadIdentity) -> bytes:
    """Return 16 bytes that are the same for every repeat of a read, and differ between two reads."""
    return hashlib.sha256("\0".join(identity).encode()).digest()[:16]


def encode_read(read: Read) -> bytes:
    """Encode the whole read as JSON without the fields that have their default: half of the bytes."""
    return msgspec.json.encode(
        {name: value for name, default in _DEFAULTS.items() if (value := getattr(read, name)) != default}
    )


def decode_stored(value: bytes) -> Read:
    """Decode what `encode_read` returned. Raises one of `contracts.events.Undecodable`."""
    return _decode(value)
