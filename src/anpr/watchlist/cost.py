"""What a list would have cost: the alerts that reads of the past would have raised, before anybody is rung."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from msgspec import Struct

from anpr.events import Alert, Entry
from anpr.intake import BadRead
from anpr.watchlist.replay import Replay

_MOST_RINGING = 10
_TELL_EVERY_READS = 5_000


class Ringing(Struct, frozen=True):
    """An entry and how often it would have rung."""

    entry_id: str
    plate: str
    alerts_a_day: float


class Cost(Struct, frozen=True, kw_only=True):
    """Alerts a day, over the days (UTC) on which there were reads. The hours are those of the captures, UTC too."""

    reads: int
    reads_refused: int
    days: int
    alerts: int
    alerts_a_day: float
    by_tier: dict[str, float]
    by_port: dict[str, float]
    by_hour: dict[str, float]
    by_nationality: dict[str, float]
    most: tuple[Ringing, ...]


# By the field of Cost: what of an alert it counts.
_COUNTED: dict[str, Callable[[Alert], str]] = {
    "by_tier": lambda alert: alert.tier,
    "by_port": lambda alert: alert.read.site,
    "by_hour": lambda alert: f"{alert.captured_at:%H}",
    "by_nationality": lambda alert: alert.read.country or "not read",
}


def cost(entries: Sequence[Entry], lines: Iterable[bytes], late_after: timedelta, tell: Callable[[], None]) -> Cost:
    """Return what these entries would have raised on reads, a JSON line each. `tell` is called now and then."""
    replay = Replay(entries, late_after)
    days: set[date] = set()
    refused = 0
    counts: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED}
    by_entry: Counter[str] = Counter()
    for line in lines:
        if not line.strip():
            continue
        try:
            seen_at, alerts = replay.take(line)
        except BadRead:
            refused += 1
            continue
        if seen_at is not None:
            days.add(seen_at.date())
        for alert in alerts:
            by_entry[alert.entry.entry_id] += 1
            for name, counted in _COUNTED.items():
                counts[name][counted(alert)] += 1
        if not replay.reads % _TELL_EVERY_READS:
            tell()
    listed = {entry.entry_id: entry.plate for entry in entries} if by_entry else {}

    def a_day(count: int) -> float:
        return round(count / max(1, len(days)), 2)

    return Cost(
        reads=replay.reads,
        reads_refused=refused,
        days=len(days),
        alerts=by_entry.total(),
        alerts_a_day=a_day(by_entry.total()),
        most=tuple(Ringing(one, listed[one], a_day(count)) for one, count in by_entry.most_common(_MOST_RINGING)),
        **{name: {of: a_day(count) for of, count in sorted(of_name.items())} for name, of_name in counts.items()},
    )
