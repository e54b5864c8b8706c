"""From the bytes of a record to a read: what can be matched goes on, whatever else is wrong with it.

Only what cannot be matched at all is refused: no JSON object, no usable `read_id`, another site's read, or no usable
plate, neither the one read nor a candidate.
Any other bad field is dropped and named in the read, for a vehicle is worth an alert even when its camera's
confidence is nonsense. Of `candidates` only the bad ones are: what the others match would be lost with them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from msgspec.structs import fields

from anpr.contracts import plates
from anpr.contracts.events import MOST_CANDIDATES, Candidate, Read, Undecodable
from anpr.runtime.timestamps import to_the_millisecond

# A read with every field of the contract at its longest is under 10 kB; a larger record is no read.
MAX_READ_BYTES = 65_536
# A camera's clock may run this far ahead of the broker's before its word is not taken any more.
CLOCK_TOLERANCE = timedelta(seconds=5)
# Older than the board window a read would be on no screen at all; a clock that was reset is likelier.
OLDEST_PLAUSIBLE = timedelta(hours=72)

_SET_HERE = ("received_at", "clock_suspect", "dropped_fields")
_REQUIRED = ("read_id", "site")
# It can be matched, but what comes of it cannot be written: see `anpr.matcher.matcher`.
ALERT_TOO_LARGE = "alert too large"
# Why a record can be dead-lettered: all that `BadRead.reason` can be.
REASONS = (
    "not JSON",
    "too long",
    "wrong site",
    "no usable time",
    *(f"no usable {field}" for field in _REQUIRED),
    "no usable plate",
    ALERT_TOO_LARGE,
)


class _Claim(msgspec.Struct):
    captured_at: Annotated[datetime, Meta(tz=True)] | None = None


_decode_claim: Callable[[bytes], _Claim] = msgspec.json.Decoder(_Claim).decode
_decode: Callable[[bytes], Read] = msgspec.json.Decoder(Read).decode
# Each value as it stands, so that one that no decoder takes (1e999, bytes that are no UTF-8) costs only itself.
_decode_fields: Callable[[bytes], dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items: Callable[[bytes], list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_candidate: Callable[[bytes], Candidate] = msgspec.json.Decoder(Candidate).decode


@dataclass(eq=False)  # not frozen: contextlib and others write to an exception that passes through them
class BadRead(Exception):  # noqa: N818  a bad read is what it is
    """A record that cannot be matched, and so is dead-lettered. `reason` is one of a few; `detail` explains."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def decode_read(value: bytes | None, site: str | None, received_at: datetime | None) -> Read:
    """Decode one record of `site`'s reads topic, taken by the broker at `received_at`.

    A dry run has neither: then the read's own site and `received_at` stand, and without that its capture time.
    Raises BadRead.
    """
    value = value or b""
    if len(value) > MAX_READ_BYTES:
        raise BadRead("too long", f"{len(value)} bytes; at most {MAX_READ_BYTES} can be a read")
    bad: dict[str, str] = {}
    try:
        read = _decode(value)
    except (*Undecodable, RecursionError):
        read, bad = _decode_leniently(value)
    if site is not None and read.site != site:
        raise BadRead("wrong site", f"a read of site {read.site!r} on the topic of {site!r}")
    if why := why_unusable(read.plate):
        why = bad.setdefault("plate", why)
        if all(why_unusable(candidate.plate) for candidate in read.candidates):
            raise BadRead("no usable plate", why)
    return _marked(read, received_at or read.received_at, tuple(bad))


def why_unusable(plate: str) -> str:
    """Return why a text cannot be matched as a plate, empty when it can."""
    read = plates.as_read(plate)
    if not read.strip(plates.UNREADABLE):
        return "no letter or digit in it"
    if len(read) > plates.MAX_CANONICAL_LENGTH:
        return f"{len(read)} characters; at most {plates.MAX_CANONICAL_LENGTH} can be"
    return ""


def claimed_capture(value: bytes) -> datetime | None:
    """Return the capture time that a camera wrote, believed or not; None when there is no readable one."""
    try:
        return _decode_claim(value).captured_at
    except (*Undecodable, RecursionError):
        return None


def _marked(read: Read, received_at: datetime | None, dropped: tuple[str, ...]) -> Read:
    """Return the read with a capture time that can be matched by, and the marks that only intake sets."""
    received_at = _utc(received_at)
    captured_at = _utc(read.captured_at)
    suspect = captured_at is None
    if captured_at is not None and received_at is not None:
        suspect = captured_at - received_at > CLOCK_TOLERANCE or received_at - captured_at > OLDEST_PLAUSIBLE
    if suspect:
        captured_at = received_at
    if captured_at is None:
        raise BadRead("no usable time", "captured_at is missing or unreadable, and so is the time of arrival")
    supersedes = read.supersedes
    if supersedes == read.read_id:
        supersedes, dropped = None, (*dropped, "supersedes")
    return msgspec.structs.replace(
        read,
        captured_at=captured_at,
        received_at=received_at,
        clock_suspect=suspect,
        supersedes=supersedes,
        dropped_fields=dropped,
    )


def _utc(moment: datetime | None) -> datetime | None:
    try:
        return None if moment is None else to_the_millisecond(moment)
    except OverflowError:
        return None


def _decode_leniently(value: bytes) -> tuple[Read, dict[str, str]]:
    """Decode field by field. A bad one is dropped and named, with why, unless nothing can be matched without it."""
    try:
        record = _decode_fields(value)
    except (*Undecodable, RecursionError) as error:
        raise BadRead("not JSON", str(error)) from None
    # Without a plate of its own a read may have candidates.
    kept: dict[str, Any] = {"plate": ""}
    bad: dict[str, str] = {} if "plate" in record else {"plate": "it is missing"}
    for field in fields(Read):
        if field.encode_name not in record:
            continue
        try:
            kept[field.name] = msgspec.json.decode(record[field.encode_name], type=field.type)
        except (*Undecodable, RecursionError) as error:
            if field.name in _REQUIRED:
                raise BadRead(f"no usable {field.name}", str(error)) from None
            if field.name not in _SET_HERE:
                bad[field.name] = str(error)
            if field.name == "candidates":
                kept[field.name] = tuple(islice(_usable(record[field.name]), MOST_CANDIDATES))
    for name in _REQUIRED:
        if name not in kept:
            raise BadRead(f"no usable {name}", "it is missing")
    return Read(**kept), bad


def _usable(candidates: msgspec.Raw) -> Iterator[Candidate]:
    """Yield the candidates that can be matched; none of what is no array."""
    try:
        items = _decode_items(candidates)
    except (*Undecodable, RecursionError):
        return
    for item in items:
        try:
            candidate = _decode_candidate(item)
        except (*Undecodable, RecursionError):
            continue
        if not why_unusable(candidate.plate):
            yield candidate
