"""From matches to alerts: ids that are the same whoever works them out, and what kind of alert it is. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert, Correction, Read
from anpr.matching.index import Index, Match


def raise_alerts(
    reads: Sequence[Read], index: Index, now: datetime, late_after: timedelta
) -> list[Alert | Correction]:
    """Match the reads and return what is to be published, in their order.

    An alert is `late` when the vehicle was captured more than `late_after` before `now`: it may be long gone, and
    no screen may show it as live. Every read that replaces another brings a correction, matched or not.
    """
    facts: list[Alert | Correction] = []
    for read, matches in zip(reads, index.match(reads), strict=True):
        if read.supersedes is not None:
            facts.append(Correction(site=read.site, read_id=read.read_id, supersedes=read.supersedes))
        facts.extend(_alert(read, match, index, now, late_after) for match in matches)
    return facts


def _alert(read: Read, match: Match, index: Index, now: datetime, late_after: timedelta) -> Alert:
    late = read.captured_at is not None and now - read.captured_at > late_after
    return Alert(
        alert_id=alert_id(read.site, read.read_id, match.entry.entry_id),
        kind="late" if late else "live",
        raised_at=now,
        read=read,
        plate=match.plate,
        tier=match.tier,
        score=match.score,
        explanation=match.explanation,
        entry=match.entry,
        generation=index.generation,
    )
