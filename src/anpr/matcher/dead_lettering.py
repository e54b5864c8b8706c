"""Makes dead letters: the original bytes, and headers with the reason and the original position. Pure."""

import hashlib
from typing import Final

from anpr.contracts.dead_letters import REPLAYED
from anpr.kafka.interfaces import Record
from anpr.reads.decoder import BadRead

# A broker limits the compressed size of a request, so a record on the reads topic can be far larger than any record
# that this service may send. Only the beginning of such a record is kept, with its full length and digest: a record
# that cannot be copied must not stop the reads behind it.
MAX_DEAD_LETTER_BYTES: Final = 1_000_000


def dead_letter(record: Record, error: BadRead) -> tuple[bytes, dict[str, bytes]]:
    """Return the value and the headers of the dead letter for a record that cannot be matched."""
    value = record.value or b""
    position = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    headers: dict[str, object] = {"reason": error.reason, "detail": error.detail, **position}
    if len(value) > MAX_DEAD_LETTER_BYTES:
        headers |= {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    if record.is_replayed:
        headers[REPLAYED] = "1"
    return value[:MAX_DEAD_LETTER_BYTES], {name: str(header).encode() for name, header in headers.items()}
