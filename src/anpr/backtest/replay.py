"""Reads of the past against a list that is not in force: the matcher with neither Kafka nor Redis."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from anpr.contracts.events import NO_GENERATION, Alert, Correction, Entry
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index
from anpr.reads.decoder import decode_read


class BacktestReplay:
    """Takes reads one by one as they came. A camera that repeats a read repeats its alerts, which are one."""

    def __init__(self, entries: Iterable[Entry], late_after: timedelta) -> None:
        """Match against these entries; a capture older than `late_after` on arrival is late."""
        self.reads = 0
        self.corrections = 0
        self._index = Index.build(entries, NO_GENERATION)
        self._late_after = late_after
        self._seen: set[str] = set()

    def take(self, line: bytes) -> tuple[datetime | None, list[Alert]]:
        """Return when a read was there, and the alerts that it raises and none before it has. Raises BadRead."""
        read = decode_read(line, None, None)
        self.reads += 1
        now = read.received_at or read.captured_at
        new: list[Alert] = []
        for fact in raise_alerts([read], self._index, now, self._late_after) if now else ():
            if isinstance(fact, Correction):
                self.corrections += 1
            elif fact.alert_id not in self._seen:
                self._seen.add(fact.alert_id)
                new.append(fact)
        return read.captured_at or now, new
