"""Estimates what each tolerance would find and cost for a list, on simulated traffic."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from anpr.backtest import confidence_intervals
from anpr.backtest.synthetic_traffic import SyntheticTraffic
from anpr.contracts.events import TIERS, TOLERANCES, Entry
from anpr.matching.encoding.columns import texts_for_kernels
from anpr.matching.index_tables import IndexTables
from anpr.matching.lookup.plate_table import WIDEST_TIERS
from anpr.matching.scoring.background_model import BACKGROUND_MODEL
from anpr.matching.scoring.confusion_model import CONFUSION_MODEL
from anpr.matching.scoring.likelihood import Likelihood

VEHICLES_A_DAY = 20_000
# This many misreads of listed plates give the share that is found to within two percentage points.
_MISREADS = 3_000
_VEHICLES_AT_ONCE = 20_000


Interval = tuple[float, float]


class ToleranceCost(Struct, frozen=True, kw_only=True):
    """The share of misread listed vehicles that raise an alert, and the false alerts a day of 20,000 vehicles.

    Each has its 95 % interval. The share is None when the list has no plate that could be misread.
    """

    tolerance: str
    found_share: float | None
    found_share_interval: Interval | None
    false_a_day: float
    false_a_day_interval: Interval


class ToleranceCosts(Struct, frozen=True, kw_only=True):
    """The finds and costs of each tolerance if every entry had it. Patterns add `patterns_a_day` alerts to each."""

    entries: int
    patterns: int
    days: float
    misreads: int
    tolerances: tuple[ToleranceCost, ...]
    patterns_a_day: float
    patterns_a_day_interval: Interval


def estimate_tolerance_costs(
    entries: Sequence[Entry], days: float, random: np.random.Generator, on_progress: Callable[[int, int], None]
) -> ToleranceCosts:
    """Estimate each tolerance for a list. `on_progress` is called with the vehicles simulated and their total."""
    tables = IndexTables.build(msgspec.structs.replace(entry, tolerance="near") for entry in entries)
    likelihood = Likelihood(len(entries))
    traffic = SyntheticTraffic(BACKGROUND_MODEL, CONFUSION_MODEL, random)
    false = _false_alerts_by_tier(tables, likelihood, traffic, max(1, round(days * VEHICLES_A_DAY)), on_progress)
    with_plates = np.flatnonzero(tables.plates.plates.lengths)
    rows = random.choice(with_plates, size=_MISREADS if len(with_plates) else 0)
    reads = traffic.misread(tables.plates.plates.take(rows))
    pairs = tables.search(texts_for_kernels(reads), likelihood)
    right_pairs = pairs.where(pairs.entry_rows == rows[pairs.read_rows])
    found_by_tier = np.bincount(right_pairs.tiers, minlength=len(TIERS))

    def cost(tolerance: str) -> ToleranceCost:
        tiers = slice(WIDEST_TIERS[tolerance] + 1)
        count, (a_day, interval) = int(found_by_tier[tiers].sum()), _a_day(int(false[tiers].sum()), days)
        low, high = confidence_intervals.share_interval(count, len(rows))
        return ToleranceCost(
            tolerance=tolerance,
            found_share=round(count / len(rows), 3) if len(rows) else None,
            found_share_interval=(round(low, 3), round(high, 3)) if len(rows) else None,
            false_a_day=a_day,
            false_a_day_interval=interval,
        )

    patterns_a_day, patterns_interval = _a_day(int(false[TIERS.index("pattern")]), days)
    return ToleranceCosts(
        entries=len(entries),
        patterns=len(entries) - len(with_plates),
        days=days,
        misreads=len(rows),
        tolerances=tuple(map(cost, TOLERANCES)),
        patterns_a_day=patterns_a_day,
        patterns_a_day_interval=patterns_interval,
    )


def _false_alerts_by_tier(
    tables: IndexTables,
    likelihood: Likelihood,
    traffic: SyntheticTraffic,
    vehicles: int,
    on_progress: Callable[[int, int], None],
) -> NDArray[np.float64]:
    """Return by tier how many alerts these vehicles raise. None of the vehicles is listed."""
    false = np.zeros(len(TIERS))
    listed = {codes.tobytes() for codes in tables.plates.plates.codes}
    for simulated in range(0, vehicles, _VEHICLES_AT_ONCE):
        plates = traffic.plates(min(_VEHICLES_AT_ONCE, vehicles - simulated))
        not_listed = np.flatnonzero([codes.tobytes() not in listed for codes in plates.codes])
        reads = traffic.read(plates.take(not_listed))
        false += np.bincount(tables.search(texts_for_kernels(reads), likelihood).tiers, minlength=len(TIERS))
        on_progress(min(simulated + _VEHICLES_AT_ONCE, vehicles), vehicles)
    return false


def _a_day(count: int, days: float) -> tuple[float, Interval]:
    low, high = confidence_intervals.count_interval(count)
    return round(count / days, 2), (round(low / days, 2), round(high / days, 2))
