"""What a list would have cost: the alerts that reads of the past would have raised, before anybody is rung."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from anpr.backtest.replay import BacktestReplay
from anpr.contracts.events import Alert, Entry
from anpr.contracts.plates import country_of
from anpr.reads.decoder import BadRead
from anpr.watchlist.cost import Cost, Ringing

_MOST_RINGING = 10
_TELL_EVERY_READS = 5_000
DAY = timedelta(days=1)
# Reads that cover less count as this much: one alert within a second is not 86,400 a day.
LEAST_COVERED = timedelta(hours=1)


# By the field of Cost: what of an alert it counts.
_COUNTED: dict[str, Callable[[Alert], str]] = {
    "by_tier": lambda alert: alert.tier,
    "by_port": lambda alert: alert.read.site,
    "by_hour": lambda alert: f"{alert.captured_at:%H}",
    "by_nationality": lambda alert: country_of(alert.read.country or "") or "not read",
}


def cost(
    entries: Sequence[Entry],
    lines: Iterable[bytes],
    late_after: timedelta,
    *,
    tell: Callable[[], None],
    refuse: Callable[[int, BadRead], None],
) -> Cost:
    """Return what these entries would have raised on reads, a JSON line each.

    `tell` is called now and then, `refuse` with the number of each line that is no usable read and the reason.
    """
    replay = BacktestReplay(entries, late_after)
    first: datetime | None = None
    last: datetime | None = None
    refused = 0
    counts: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED}
    by_entry: Counter[str] = Counter()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            seen_at, alerts = replay.take(line)
        except BadRead as error:
            refused += 1
            refuse(number, error)
            continue
        if seen_at is not None:
            first, last = min(first or seen_at, seen_at), max(last or seen_at, seen_at)
        for alert in alerts:
            by_entry[alert.entry.entry_id] += 1
            for name, counted in _COUNTED.items():
                counts[name][counted(alert)] += 1
        if not replay.reads % _TELL_EVERY_READS:
            tell()
    listed = {entry.entry_id: entry.plate for entry in entries} if by_entry else {}

    days = max(last - first if first and last else LEAST_COVERED, LEAST_COVERED) / DAY

    def a_day(count: int) -> float:
        return round(count / days, 2)

    return Cost(
        reads=replay.reads,
        reads_refused=refused,
        first_captured_at=first,
        last_captured_at=last,
        alerts=by_entry.total(),
        alerts_a_day=a_day(by_entry.total()),
        most=tuple(Ringing(one, listed[one], a_day(count)) for one, count in by_entry.most_common(_MOST_RINGING)),
        **{name: {of: a_day(count) for of, count in sorted(of_name.items())} for name, of_name in counts.items()},
    )
