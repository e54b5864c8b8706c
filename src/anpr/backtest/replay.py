"""Matches past reads with a list that is not active, without Kafka and Redis."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from anpr.contracts.events import NO_GENERATION, Alert, Correction, Entry, Read
from anpr.contracts.local_days import LocalDays
from anpr.matcher.alerts import raise_alerts, raise_retrospective
from anpr.matching.index import Index
from anpr.matching.scoring.confidence_calibration import NO_CALIBRATIONS, Calibrations
from anpr.reads.decoder import decode_read


class BacktestReplay:
    """Matches reads one by one, in the order in which they arrived. A repeated read raises no second alert."""

    def __init__(
        self,
        entries: Iterable[Entry],
        late_after: timedelta,
        days: LocalDays,
        *,
        calibrations: Calibrations = NO_CALIBRATIONS,
        is_back_check: bool = False,
    ) -> None:
        """Match against these entries; a capture older than `late_after` on arrival is late.

        As a back-check, do what becomes of reads that are stored when all these entries are new.
        """
        self.reads = 0
        self.reads_of_site: Counter[str] = Counter()
        self.corrections = 0
        self._index = replace(Index.build(entries, NO_GENERATION), calibrations=calibrations)
        self._late_after = late_after
        self._days = days
        self._is_back_check = is_back_check
        self._alert_ids: set[str] = set()

    def match_line(self, line: bytes) -> tuple[datetime | None, list[Alert]]:
        """Return when a read was captured, and the new alerts that it raises. Raises BadRead."""
        read = decode_read(line, None, None)
        self.reads += 1
        self.reads_of_site[read.site] += 1
        now = read.received_at or read.captured_at
        new: list[Alert] = []
        for fact in self._raise(read, now) if now else ():
            if isinstance(fact, Correction):
                self.corrections += 1
            elif fact.alert_id not in self._alert_ids:
                self._alert_ids.add(fact.alert_id)
                new.append(fact)
        return read.captured_at or now, new

    def _raise(self, read: Read, now: datetime) -> Sequence[Alert | Correction]:
        if self._is_back_check:
            return raise_retrospective([read], self._index, now, self._days, lambda _: True)
        return raise_alerts([read], self._index, now, self._late_after, self._days)
