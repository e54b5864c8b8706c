"""The capture time as the camera wrote it. It is part of what tells one read from another. Pure."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Raw

from anpr.contracts.events import Instant, Undecodable

# No time is so long. A longer text is kept as its digest: two texts that differ only at their ends are two reads.
_MAX_CHARACTERS: Final = 64
_DIGEST_DIGITS: Final = 32


class _Record(msgspec.Struct):
    captured_at: str | None = None


_decode_record: Final[Callable[[bytes], _Record]] = msgspec.json.Decoder(_Record).decode
_decode_text: Final[Callable[[Raw], str | None]] = msgspec.json.Decoder(str | None).decode


def claimed_in(value: bytes) -> str:
    """Return `claimed_at` for a record that fits the contract; see `Read`."""
    return _bounded(_decode_record(value).captured_at or "")


def claimed_text(captured_at: Raw | None) -> str:
    """Return `claimed_at` for the JSON of `captured_at`, whatever it is; None when the record has no such field."""
    if captured_at is None:
        return ""
    try:
        return _bounded(_decode_text(captured_at) or "")
    except (*Undecodable, RecursionError):
        pass
    written = bytes(captured_at)
    try:
        return _bounded(written.decode())
    except UnicodeDecodeError:
        return _digest(written)


def claimed_instant(claimed_at: str) -> datetime | None:
    """Return the capture time that the camera wrote, plausible or not; None when there is no readable one."""
    try:
        moment: Any = msgspec.convert(claimed_at, Instant)
    except msgspec.ValidationError:
        return None
    return moment if isinstance(moment, datetime) else None


def _bounded(text: str) -> str:
    return text if len(text) <= _MAX_CHARACTERS and "\0" not in text else _digest(text.encode())


def _digest(written: bytes) -> str:
    return f"sha256:{hashlib.sha256(written).hexdigest()[:_DIGEST_DIGITS]}"
