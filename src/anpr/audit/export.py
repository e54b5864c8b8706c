"""Audit records as an inspector gets them: as CSV for a spreadsheet, or as the lines of the chains."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from anpr.audit.record import SealedRecord
from anpr.runtime.spreadsheet_text import as_cell

COLUMNS: Final = (
    *("at", "site", "service", "sequence", "operation", "what", "user", "role", "reason", "plate", "incident_id"),
    *("covert", "details", "chain", "hash"),
)
# Without it spreadsheets read the file as Latin-1.
_BYTE_ORDER_MARK: Final = "\ufeff"


def csv_lines(records: Iterable[SealedRecord]) -> Iterator[str]:
    """Yield CSV, a line at a time, in which a spreadsheet runs nothing."""
    yield _BYTE_ORDER_MARK + _csv_line(COLUMNS)
    for digest, record in records:
        event = record.event
        yield _csv_line(
            [
                record.at.isoformat(),
                *(record.site, record.service, str(record.sequence)),
                *(event.operation, event.what, event.user, event.role, event.reason, event.plate, event.incident_id),
                "yes" if event.covert else "",
                msgspec.json.encode(event.details).decode() if event.details else "",
                *(record.chain, digest),
            ]
        )


def _csv_line(cells: Iterable[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow([as_cell(cell) for cell in cells])
    return text.getvalue()
