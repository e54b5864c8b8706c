"""The capture time as the camera wrote it. It is part of what tells one read from another. Pure."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Raw

from anpr.contracts.events import ClaimedTime, Instant, Undecodable

# No time is so long. A longer text is kept as its digest: two texts that differ at their end are two reads.
_DIGEST_DIGITS: Final = 32


class _Record(msgspec.Struct):
    captured_at: Raw = Raw(b"null")


_decode_record: Final[Callable[[bytes], _Record]] = msgspec.json.Decoder(_Record).decode
_decode_text: Final[Callable[[Raw], str | None]] = msgspec.json.Decoder(ClaimedTime | None).decode


def claimed_in(value: bytes) -> str:
    """Return `claimed_at` for a record that fits the contract; see `Read`."""
    return claimed_text(_decode_record(value).captured_at)


def claimed_text(captured_at: Raw | None) -> str:
    """Return `claimed_at` for the JSON of `captured_at`, whatever it is; None when the record has no such field."""
    if captured_at is None:
        return ""
    try:
        return _decode_text(captured_at) or ""
    except (*Undecodable, RecursionError):
        return _other_text(bytes(captured_at))


def claimed_instant(claimed_at: str) -> datetime | None:
    """Return the capture time that the camera wrote, plausible or not; None when there is no readable one."""
    try:
        moment: Any = msgspec.convert(claimed_at, Instant)
    except msgspec.ValidationError:
        return None
    return moment if isinstance(moment, datetime) else None


def _other_text(json_value: bytes) -> str:
    """Return JSON that is no short text: a short number, list or object itself, anything else as its digest."""
    digest = f"sha256:{hashlib.sha256(json_value).hexdigest()[:_DIGEST_DIGITS]}"
    if json_value.startswith(b'"'):
        return digest
    try:
        return msgspec.convert(json_value.decode(), ClaimedTime)
    except (UnicodeDecodeError, msgspec.ValidationError):
        return digest
