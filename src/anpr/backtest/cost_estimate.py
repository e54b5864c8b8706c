"""Estimates the cost of a list: the alerts that it would have raised on past reads."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from anpr.backtest.replay import BacktestReplay
from anpr.contracts.events import Alert, Entry
from anpr.contracts.local_days import LocalDays
from anpr.contracts.plates import country_of
from anpr.matching.scoring.confidence_calibration import NO_CALIBRATIONS, Calibrations
from anpr.reads.decoder import BadRead
from anpr.reads.json_lines import numbered_lines
from anpr.watchlist.alert_cost import Cost, EntryCost

_ENTRIES_SHOWN = 10
_PROGRESS_EVERY_READS = 5_000
DAY = timedelta(days=1)
# Reads that cover less time count as this much: one alert within a second is not 86,400 a day.
SHORTEST_TIME = timedelta(hours=1)


# By the field of Cost: the value of an alert by which that field counts.
_COUNTED_BY: dict[str, Callable[[Alert], str]] = {
    "by_tier": lambda alert: alert.tier,
    "by_port": lambda alert: alert.read.site,
    "by_hour": lambda alert: f"{alert.captured_at:%H}",
    "by_nationality": lambda alert: country_of(alert.read.country or "") or "not read",
}


def estimate_cost(  # noqa: PLR0913  the list, the reads, three rules and two callbacks
    entries: Sequence[Entry],
    lines: Iterable[bytes],
    late_after: timedelta,
    days: LocalDays,
    *,
    calibrations: Calibrations = NO_CALIBRATIONS,
    on_progress: Callable[[], None],
    on_bad_read: Callable[[int, BadRead], None],
) -> Cost:
    """Return the alerts that these entries would have raised on reads, given as JSON lines.

    `on_progress` is called from time to time, `on_bad_read` with the number of each unusable line and the reason.
    """
    replay = BacktestReplay(entries, late_after, days, calibrations=calibrations)
    tally = _Tally()
    refused = 0
    for number, line in numbered_lines(lines):
        try:
            captured_at, alerts = replay.match_line(line)
        except BadRead as error:
            refused += 1
            on_bad_read(number, error)
            continue
        tally.add(captured_at, alerts)
        if not replay.reads % _PROGRESS_EVERY_READS:
            on_progress()
    cost = tally.cost(entries, replay.reads, refused)
    return msgspec.structs.replace(cost, reads_of_site=dict(sorted(replay.reads_of_site.items())))


class _Tally:
    """Counts the alerts of the reads, and keeps the first and the last capture."""

    def __init__(self) -> None:
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._by_entry: Counter[str] = Counter()
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED_BY}

    def add(self, captured_at: datetime | None, alerts: Iterable[Alert]) -> None:
        if captured_at is not None:
            self._first = min(self._first or captured_at, captured_at)
            self._last = max(self._last or captured_at, captured_at)
        for alert in alerts:
            self._by_entry[alert.entry.entry_id] += 1
            for name, value_of in _COUNTED_BY.items():
                self._counts[name][value_of(alert)] += 1

    def cost(self, entries: Iterable[Entry], reads: int, reads_refused: int) -> Cost:
        plates = {entry.entry_id: entry.plate for entry in entries} if self._by_entry else {}
        covered = self._last - self._first if self._first and self._last else SHORTEST_TIME
        days = max(covered, SHORTEST_TIME) / DAY

        def a_day(count: int) -> float:
            return round(count / days, 2)

        return Cost(
            reads=reads,
            reads_refused=reads_refused,
            first_captured_at=self._first,
            last_captured_at=self._last,
            alerts=self._by_entry.total(),
            alerts_a_day=a_day(self._by_entry.total()),
            most=tuple(
                EntryCost(entry_id, plates[entry_id], a_day(count))
                for entry_id, count in self._by_entry.most_common(_ENTRIES_SHOWN)
            ),
            **{
                name: {value: a_day(count) for value, count in sorted(by_value.items())}
                for name, by_value in self._counts.items()
            },
        )
