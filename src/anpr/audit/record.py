"""The records of an audit chain, and the bytes of each. A changed byte changes the hash. Pure.

A record is one line: `{"hash":H,"record":R}`. H is the SHA-256 of the bytes R, in hexadecimal digits. R holds the
hash of the record before it. So whoever changes a record must change every later one, and what others keep.
"""

import hashlib
from datetime import datetime
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

# The operations that the Data Protection Act 2018, section 62, wants logged, and signing in.
Operation = Literal["collection", "alteration", "consultation", "disclosure", "erasure", "sign-in"]
OPERATIONS: Final[tuple[Operation, ...]] = (
    "collection",
    "alteration",
    "consultation",
    "disclosure",
    "erasure",
    "sign-in",
)
# What the first record of a chain holds as the hash of the record before it.
NO_PREVIOUS: Final = "0" * 64
MOST_LINE_BYTES: Final = 64 * 1024

_BEFORE_HASH, _BEFORE_RECORD, _END = b'{"hash":"', b'","record":', b"}"
_HASH_DIGITS: Final = 64


class AuditEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody did. The chain adds when, where and in which order.

    Attributes:
        what: What was done, in a few words, such as "look-up".
        user: Who did it: a user's name, or the name of a service; "" for an unknown name that failed to sign in.
        reason: Why, as the person wrote it.
        plate: The plate that it was about, as asked for: perhaps a partial one with ? and *.
        covert: Whether only people with the covert permission may read of it.
        details: Whatever else tells what was done. No secrets.
    """

    operation: Operation
    what: str
    user: str
    role: str
    reason: str = ""
    plate: str = ""
    incident_id: str = ""
    covert: bool = False
    details: dict[str, str] = {}


class AuditRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event in its chain.

    Attributes:
        sequence: 1 for the first record of a chain, and one more for each record after it.
        previous: The hash of the record before it.
        chain: The id of the chain, which its first record draws by lot.
        service: Which service of the site wrote it, such as `console-1`.
    """

    sequence: int
    previous: str
    chain: str
    at: datetime
    site: str
    service: str
    event: AuditEvent


class SealedRecord(NamedTuple):
    """A record and its hash."""

    hash: str
    record: AuditRecord


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(AuditRecord)


def seal(record: AuditRecord) -> tuple[str, bytes]:
    """Return the hash of a record, and its line with the line feed.

    Raises OverflowError for one that is too long, UnicodeEncodeError for a text with half a surrogate pair.
    """
    body = _encoder.encode(record)
    if len(body) > MOST_LINE_BYTES - 128:
        raise OverflowError("an audit record is too long")
    digest = hashlib.sha256(body).hexdigest()
    return digest, _BEFORE_HASH + digest.encode() + _BEFORE_RECORD + body + _END + b"\n"


def unseal(line: bytes) -> SealedRecord:
    """Return the record of a line. Raises ValueError, which says why, for a line that is not as it was written."""
    hash_end = len(_BEFORE_HASH) + _HASH_DIGITS
    body_start = hash_end + len(_BEFORE_RECORD)
    if not line.endswith(b"\n"):
        raise ValueError("the line has no end")
    ends = line[: len(_BEFORE_HASH)], line[hash_end:body_start], line[-2:-1]
    if ends != (_BEFORE_HASH, _BEFORE_RECORD, _END):
        raise ValueError("the line is not an audit record")
    digest, body = line[len(_BEFORE_HASH) : hash_end], line[body_start:-2]
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("the record does not have the hash that its line states")
    try:
        return SealedRecord(digest.decode(), _decoder.decode(body))
    except msgspec.DecodeError as error:
        raise ValueError(f"the record cannot be read: {error}") from None
