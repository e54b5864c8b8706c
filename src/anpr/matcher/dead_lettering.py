"""Makes dead letters: the original bytes, and headers with the reason and the original position. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from anpr.contracts.dead_letters import GONE, REASON, REPLAYED
from anpr.contracts.events import Loss, encode
from anpr.contracts.losses import loss_id
from anpr.kafka.interfaces import OffsetGap, Record
from anpr.reads.decoder import BadRead

# A broker limits the compressed size of a request, so a record on the reads topic can be far larger than any record
# that this service may send. Only the beginning of such a record is kept, with its full length and digest: a record
# that cannot be copied must not stop the reads behind it.
MAX_DEAD_LETTER_BYTES: Final = 1_000_000


def dead_letter(record: Record, error: BadRead) -> tuple[bytes, dict[str, bytes]]:
    """Return the value and the headers of the dead letter for a record that cannot be matched."""
    value = record.value or b""
    position = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    headers: dict[str, object] = {REASON: error.reason, "detail": error.detail, **position}
    if len(value) > MAX_DEAD_LETTER_BYTES:
        headers |= {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    if record.is_replayed:
        headers[REPLAYED] = "1"
    return value[:MAX_DEAD_LETTER_BYTES], _encoded(headers)


def loss_of(gap: OffsetGap, site: str, now: datetime) -> Loss:
    """Return the loss of the reads in a gap."""
    return Loss(
        loss_id=loss_id(gap.topic, gap.topic_id, gap.partition, gap.first, gap.last),
        site=site,
        topic=gap.topic,
        topic_id=gap.topic_id,
        partition=gap.partition,
        first_offset=gap.first,
        last_offset=gap.last,
        since=gap.since,
        until=gap.until or now,
        found_at=now,
    )


def loss_letter(loss: Loss) -> tuple[bytes, dict[str, bytes]]:
    """Return the value and the headers of the dead letter for reads that the broker deleted."""
    number = "an unknown number of" if loss.reads is None else loss.reads
    headers = {
        REASON: GONE,
        "detail": f"the broker deleted {number} reads before a matcher had read them",
        "topic": loss.topic,
        "partition": loss.partition,
        "offset": loss.first_offset,
        "last_offset": loss.last_offset,
        "since": loss.since.isoformat() if loss.since is not None else None,
    }
    return encode(loss), _encoded({name: header for name, header in headers.items() if header is not None})


def _encoded(headers: Mapping[str, object]) -> dict[str, bytes]:
    return {name: str(header).encode() for name, header in headers.items()}
