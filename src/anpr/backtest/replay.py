"""Matches past reads with a list that is not active, without Kafka and Redis."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from anpr.contracts.events import NO_GENERATION, Alert, Correction, Entry
from anpr.contracts.local_days import LocalDays
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from anpr.reads.decoder import decode_read


class BacktestReplay:
    """Matches reads one by one, in the order in which they arrived. A repeated read raises no second alert."""

    def __init__(self, entries: Iterable[Entry], late_after: timedelta, days: LocalDays) -> None:
        """Match against these entries; a capture older than `late_after` on arrival is late."""
        self.reads = 0
        self.reads_of_site: Counter[str] = Counter()
        self.corrections = 0
        self._index = Index.build(entries, NO_GENERATION)
        self._late_after = late_after
        self._days = days
        self._alert_ids: set[str] = set()

    def match_line(self, line: bytes) -> tuple[datetime | None, list[Alert]]:
        """Return when a read was captured, and the new alerts that it raises. Raises BadRead."""
        read = decode_read(line, None, None)
        self.reads += 1
        self.reads_of_site[read.site] += 1
        now = read.received_at or read.captured_at
        new: list[Alert] = []
        for fact in raise_alerts([read], self._index, now, self._late_after, self._days) if now else ():
            if isinstance(fact, Correction):
                self.corrections += 1
            elif fact.alert_id not in self._alert_ids:
                self._alert_ids.add(fact.alert_id)
                new.append(fact)
        return read.captured_at or now, new
