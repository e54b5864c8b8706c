"""From the bytes of a record to a read: every read that can be matched is kept, whatever else is wrong with it.

A record is refused only when it cannot be matched at all: it is no JSON object, has no usable `read_id`, belongs to
another site, or has no usable plate (neither `plate` nor a candidate).
Any other bad field is dropped and named in the read: a vehicle is worth an alert even when its camera's confidence is
nonsense. A bad part costs only itself: of `candidates` only those without a usable plate are dropped, of a candidate
only its confidence. `field_repair` reads a field that breaks the contract, but can mean only one thing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import FieldInfo, fields

from anpr.contracts import plates
from anpr.contracts.country_codes import is_country_code
from anpr.contracts.events import Read, Undecodable
from anpr.contracts.no_plate import says_no_plate
from anpr.reads.claimed_time import claimed_in, claimed_text
from anpr.reads.field_repair import FieldRepair
from anpr.reads.json_lines import BYTE_ORDER_MARK, repaired_json
from anpr.runtime.timestamps import to_the_millisecond

# A read with every field of the contract at its longest is under 10 kB; a record larger than this is no read.
MAX_READ_BYTES = 65_536
# A capture time may be this far ahead of the broker's clock before the decoder stops trusting it.
CLOCK_TOLERANCE = timedelta(seconds=5)
# A read so old would be on no screen: `board.window_hours` is 72 unless somebody changes it. A camera with a reset
# clock is more likely.
OLDEST_PLAUSIBLE = timedelta(hours=72)

_SET_BY_DECODER = ("received_at", "clock_suspect", "dropped_fields", "claimed_at")
_REQUIRED = ("read_id", "site")
# Looked up once: that takes longer than to decode a record.
_FIELDS = fields(Read)
# The read can be matched, but the broker refuses its alert: see `anpr.matcher`.
ALERT_TOO_LARGE = "alert too large"
# The detail of a read without a usable plate whose text is UNKNOWN, NONE or the like.
SAYS_NO_PLATE = "it says that there is no plate"
# Every value of `BadRead.reason`: why a record can become a dead letter.
REASONS = (
    "not JSON",
    "too long",
    "wrong site",
    "no usable time",
    *(f"no usable {field}" for field in _REQUIRED),
    "no usable plate",
    ALERT_TOO_LARGE,
)


# A mark, or characters of ASCII with a zero byte before or behind each. A file that was compressed is neither.
_UTF_16 = re.compile(rb"\xff\xfe|\xfe\xff|\0?(?:[ -~]\0){2}")

_decode: Callable[[bytes], Read] = msgspec.json.Decoder(Read).decode
# Raw values, so that one value that no decoder accepts (1e999, bytes that are not UTF-8) spoils only its own field.
_decode_fields: Callable[[bytes], dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(eq=False)  # not frozen: contextlib and others write to an exception that passes through them
class BadRead(Exception):  # noqa: N818  a bad read is what it is
    """A record that cannot be matched, so it becomes a dead letter. `reason` is one of `REASONS`."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


def decode_read(value: bytes | None, site: str | None, received_at: datetime | None) -> Read:
    """Decode one record of `site`'s reads topic, which the broker received at `received_at`.

    A dry run has neither. Then the read's own site counts, and its own `received_at` or else its capture time.
    Raises BadRead.
    """
    value = value or b""
    if len(value) > MAX_READ_BYTES:
        raise BadRead("too long", f"{len(value)} bytes; a read has at most {MAX_READ_BYTES}")
    bad: dict[str, str] = {}
    try:
        read, claimed_at = _decode(value), claimed_in(value)
    except (*Undecodable, RecursionError):
        read, claimed_at, bad = _decode_leniently(value)
    if read.country is not None and not is_country_code(read.country):
        read, bad["country"] = msgspec.structs.replace(read, country=None), f"no country has the code {read.country}"
    if site is not None and read.site != site:
        raise BadRead("wrong site", f"a read of site {read.site!r} on the topic of {site!r}")
    if reason := unusable_reason(read.plate):
        reason = bad.setdefault("plate", reason)
        if all(unusable_reason(candidate.plate) for candidate in read.candidates):
            raise BadRead("no usable plate", reason)
    return _completed(read, claimed_at, received_at or read.received_at, tuple(bad))


def unusable_reason(plate: str) -> str:
    """Return why a text cannot be matched as a plate, "" when it can."""
    read = plates.as_read(plate)
    if says_no_plate(plate):
        return SAYS_NO_PLATE
    if not read.strip(plates.UNREADABLE):
        return "it has no letter or digit"
    if len(read) > plates.MAX_CANONICAL_LENGTH:
        return f"{len(read)} characters; a plate has at most {plates.MAX_CANONICAL_LENGTH}"
    return ""


def _completed(read: Read, claimed_at: str, received_at: datetime | None, dropped: tuple[str, ...]) -> Read:
    """Return the read with a capture time to match by, and with the fields that only the decoder sets."""
    received_at = _utc(received_at)
    captured_at = _utc(read.captured_at)
    suspect = captured_at is None
    if captured_at is not None and received_at is not None:
        suspect = captured_at - received_at > CLOCK_TOLERANCE or received_at - captured_at > OLDEST_PLAUSIBLE
    if suspect:
        captured_at = received_at
    if captured_at is None:
        raise BadRead("no usable time", "captured_at and the time of arrival are missing or unreadable")
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
        claimed_at=claimed_at,
    )


def _utc(moment: datetime | None) -> datetime | None:
    try:
        return None if moment is None else to_the_millisecond(moment)
    except OverflowError:
        return None


def _decode_leniently(value: bytes) -> tuple[Read, str, dict[str, str]]:
    """Decode field by field. Raises BadRead.

    Return the read without its bad fields, the capture time as the camera wrote it, and why each bad field is bad.
    """
    record = _fields_of(value.removeprefix(BYTE_ORDER_MARK))
    repair = FieldRepair(record, unusable_reason)
    # A read without a plate may still have candidates.
    kept: dict[str, Any] = {"plate": ""}
    bad: dict[str, str] = {} if "plate" in record else {"plate": "it is missing"}
    for field in _FIELDS:
        if field.encode_name not in record:
            continue
        value_of_field, reason = _decoded(field, record[field.encode_name])
        if reason or repair.is_needed(field.name):
            value_of_field, is_whole = repair.repaired(field.name)
            if not is_whole and field.name in _REQUIRED:
                raise BadRead(f"no usable {field.name}", reason)
            if not is_whole and field.name not in _SET_BY_DECODER:
                bad[field.name] = reason or "a confidence is not a number from 0 to 1"
        if value_of_field is not None:
            kept[field.name] = value_of_field
    for name in _REQUIRED:
        if name not in kept:
            raise BadRead(f"no usable {name}", "it is missing")
    return Read(**kept), claimed_text(record.get("captured_at")), bad


def _fields_of(value: bytes) -> dict[str, msgspec.Raw]:
    """Return the fields of a record as they were sent. Raises BadRead."""
    try:
        return _decode_fields(value)
    except (*Undecodable, RecursionError) as error:
        reason = "it is UTF-16: write UTF-8" if _UTF_16.match(value) else str(error)
    try:
        return _decode_fields(repaired_json(value))
    except (*Undecodable, RecursionError):
        raise BadRead("not JSON", reason) from None


def _decoded(field: FieldInfo, raw: msgspec.Raw) -> tuple[Any, str]:
    """Return the value of a field and "", or None and why the contract does not allow it."""
    try:
        return msgspec.json.decode(raw, type=field.type), ""
    except (*Undecodable, RecursionError) as error:
        return None, str(error) or "it cannot be decoded"
