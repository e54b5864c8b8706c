"""Turns matches into alerts: the id depends only on the read and the entry, the kind on the time. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert, Correction, Entry, Read
from anpr.contracts.local_days import LocalDays
from anpr.matching.index import Index, Match


def raise_alerts(
    reads: Sequence[Read], index: Index, now: datetime, late_after: timedelta, days: LocalDays
) -> list[Alert | Correction]:
    """Match the reads and return the records to publish, in the order of the reads.

    An alert is `late` when the vehicle was captured more than `late_after` before `now`: it may be long gone, and no
    screen may show the alert as live. Each read that replaces another brings a correction, matched or not.
    """
    if not reads:  # as in most turns with few reads, where a search for nothing would be a good part of the cost
        return []
    alert_records: list[Alert | Correction] = []
    for read, matches in zip(reads, index.match(reads, days), strict=True):
        if read.supersedes is not None:
            alert_records.append(_correction(read, read.supersedes))
        alert_records.extend(_alert(read, match, index, now, late_after) for match in matches)
    return alert_records


def raise_retrospective(
    reads: Sequence[Read], index: Index, now: datetime, days: LocalDays, is_wanted: Callable[[Entry], bool]
) -> list[Alert]:
    """Match reads that passed before an entry was listed, and return the alerts of the wanted entries.

    All is as in live matching, ids too, but that `valid_from` is ignored. There are no corrections: those of a read
    that replaces another were published when it passed, matched or not.
    """
    raised = raise_alerts(reads, index, now, timedelta.max, days.without_starts())
    return [
        msgspec.structs.replace(fact, kind="retrospective")
        for fact in raised
        if isinstance(fact, Alert) and is_wanted(fact.entry)
    ]


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
