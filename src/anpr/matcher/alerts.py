"""Turns matches into alerts: the id depends only on the read and the entry, the kind on the time. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert, Correction, Read
from anpr.contracts.local_days import LocalDays
from anpr.matching.index import Index, Match


def raise_alerts(
    reads: Sequence[Read], index: Index, now: datetime, late_after: timedelta, days: LocalDays
) -> list[Alert | Correction]:
    """Match the reads and return the records to publish, in the order of the reads.

    An alert is `late` when the vehicle was captured more than `late_after` before `now`: it may be long gone, and no
    screen may show the alert as live. Each read that replaces another brings a correction, matched or not.
    """
    alert_records: list[Alert | Correction] = []
    for read, matches in zip(reads, index.match(reads, days), strict=True):
        if read.supersedes is not None:
            alert_records.append(_correction(read, read.supersedes))
        alert_records.extend(_alert(read, match, index, now, late_after) for match in matches)
    return alert_records


def _correction(read: Read, supersedes: str) -> Correction:
    return Correction(
        site=read.site,
        read_id=read.read_id,
        supersedes=supersedes,
        camera=read.camera,
        captured_at=read.captured_at,
    )


def _alert(read: Read, match: Match, index: Index, now: datetime, late_after: timedelta) -> Alert:
    is_late = read.captured_at is not None and now - read.captured_at > late_after
    return Alert(
        alert_id=alert_id(read.identity, match.entry.entry_id),
        kind="late" if is_late else "live",
        raised_at=now,
        read=read,
        plate=match.plate,
        tier=match.tier,
        score=match.score,
        explanation=match.explanation,
        entry=match.entry,
        generation=index.generation,
    )
