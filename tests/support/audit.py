"""Audit chains for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from anpr.audit.head import Head
from anpr.audit.record import NO_PREVIOUS, AuditEvent, AuditRecord, seal
from anpr.audit.segments import lines, segments
from anpr.audit.verification import LinePosition, Verdict, verify

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class SetClock:
    """A clock that shows what a test sets."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, days: float) -> None:
        """Go forward by so many days."""
        self.now += timedelta(days=days)


def look_up(plate: str = "AB12CDE", user: str = "anna", *, covert: bool = False) -> AuditEvent:
    """Return the event of a look-up."""
    return AuditEvent(operation="consultation", what="look-up", user=user, role="officer", plate=plate, covert=covert)


def sealed_lines(events: Sequence[AuditEvent], chain: str = "c" * 16) -> list[bytes]:
    """Return the lines of a chain of these events."""
    written, previous = [], NO_PREVIOUS
    for number, event in enumerate(events, 1):
        record = AuditRecord(
            sequence=number, previous=previous, chain=chain, at=NOON, site="calais", service="console-1", event=event
        )
        previous, line = seal(record)
        written.append(line)
    return written


def verdict_on(chain_lines: Sequence[bytes], deleted: Head | None = None, heads: Sequence[Head] = ()) -> Verdict:
    """Verify the lines of a chain."""
    places = (LinePosition("20261129.jsonl", number) for number in range(1, len(chain_lines) + 1))
    return verify(zip(places, chain_lines, strict=True), deleted=deleted, heads=heads)


def lines_in(folder: Path) -> list[bytes]:
    """Return all lines of the chain in a folder."""
    return [line for segment in segments(folder) for line in lines(segment)]
