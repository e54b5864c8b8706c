"""Finds the records of a batch that have to be decoded whole. Nearly all others match nothing, and cost little."""

from collections.abc import Callable, Sequence
from datetime import datetime

from anpr.kafka.interfaces import Record
from anpr.matching.index import Index
from anpr.reads.plain_read import PlainRead, plain_read


def records_to_decode(
    records: Sequence[Record], site: str, index: Index, is_sampled: Callable[[str, datetime], bool]
) -> list[Record]:
    """Return, in their order, the records that may bring an alert, a correction or a dead letter, and a sample.

    The rest are usable reads that match nothing: decoding them whole would change nothing that is published.
    `is_sampled` says of a camera and a time of arrival whether a read is in the sample.
    """
    must_decode: set[int] = set()
    rows: list[int] = []
    plain: list[PlainRead] = []
    for row, record in enumerate(records):
        read = plain_read(record.value, site)
        # Without a time of arrival a read may have no usable time.
        if read is None or record.arrived_at is None or is_sampled(read.camera, record.arrived_at):
            must_decode.add(row)
        else:
            rows.append(row)
            plain.append(read)
    if plain:
        must_decode.update(rows[match] for match in index.may_match(plain))
    return [record for row, record in enumerate(records) if row in must_decode]
