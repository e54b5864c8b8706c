"""The figures of a run: as numbers with their intervals, as a table to read, as pictures."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from anpr.events import TIERS
from anpr.matching.likelihood import LISTED_SHARE
from anpr.matching.packed import country_text
from benchmarks.quality.measure import MATCHER, VEHICLES_A_DAY, WAYS, Measured

mpl.use("svg")
from matplotlib import pyplot as plt

POINTS = (1.0, 2.0, 15.0)
_SURE = 1.96  # 95 %
_BINS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97, 1.0001)
_CURVE = tuple(float(value) for value in np.geomspace(0.2, 50, 40))


def figures(engine: str, measured: Measured) -> dict[str, Any]:
    """Return everything that is told of one engine and one list."""
    least = measured.false[MATCHER] >= 0
    return {
        "engine": engine,
        "entries": measured.size,
        "days": measured.days,
        "misread_listed_vehicles": len(measured.found[MATCHER]),
        "at": [_at(measured, point) for point in POINTS],
        "as_shipped": {
            "found": _share(int((measured.found[MATCHER] >= 0).sum()), len(measured.found[MATCHER])),
            "false_a_day": _a_day(int(least.sum()), measured.days),
            "by_tier": [_of_tier(measured, tier) for tier in range(len(TIERS) - 1)],
        },
        "by_country": [_of_country(measured, country) for country in sorted(measured.vehicles_by_country)],
        "reliability": [row for tier in range(len(TIERS) - 1) for row in _reliability(measured, tier)],
    }


def lines(of: dict[str, Any]) -> list[str]:
    """Return the figures as a person reads them."""
    misread, days = of["misread_listed_vehicles"], f"{of['days']:g} days of {VEHICLES_A_DAY:,} vehicles"
    out = [
        f"{of['engine']}, {of['entries']:,} entries, {misread} misread listed vehicles, {days} that are not listed",
        f"  {'found at most so many false a day':36}" + "".join(f"{point:>22g}" for point in POINTS),
    ]
    for way in WAYS:
        cells = [at["found"][way] for at in of["at"]]
        out.append(f"  {way:36}" + "".join(f"{_percent(cell):>22}" for cell in cells))
    gains = [f"{at['points_more']:+.1f} points" for at in of["at"]]
    out.append(f"  {'more than the better rule':36}" + "".join(f"{gain:>22}" for gain in gains))
    shipped = of["as_shipped"]
    out.append(
        f"  as shipped: {_percent(shipped['found'])} found, {_rate(shipped['false_a_day'])} false a day; by tier"
    )
    out += [
        f"    {row['tier']:12} {_percent(row['found']):>22}   {_rate(row['false_a_day']):>22} false a day"
        for row in shipped["by_tier"]
    ]
    out.append("  by nationality, as shipped: found, and false in a day of 20,000 of its vehicles")
    out += [
        f"    {row['country']:4} {_percent(row['found']):>22}   {_rate(row['false_a_day_of_its_own']):>22}"
        for row in of["by_country"]
    ]
    out.append("  reliability: of alerts with such a score, the share that is the listed vehicle")
    out += [
        f"    {row['tier']:12} {row['from']:.2f} to {min(row['to'], 1):.2f}: mean score {row['mean_score']:.3f}, "
        f"true {row['true_share']:.3f} of {row['alerts_a_day']:.2f} a day"
        for row in of["reliability"]
    ]
    return out


def draw(folder: Path, runs: Sequence[tuple[str, Measured]]) -> None:
    """Draw the curves and the reliability of all runs into SVG files."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update({"svg.hashsalt": "quality", "svg.fonttype": "none", "font.size": 9})
    _draw_curves(folder / "found.svg", runs)
    _draw_reliability(folder / "reliability.svg", runs)


def _draw_curves(path: Path, runs: Sequence[tuple[str, Measured]]) -> None:
    figure, axes = plt.subplots(1, len(runs), figsize=(3.6 * len(runs), 3.2), sharey=True, squeeze=False)
    for at, (engine, measured) in zip(axes[0], runs, strict=True):
        for way, style in zip(WAYS, ("-", "--", ":"), strict=True):
            found = [100 * measured.found_at(way, a_day)[1] for a_day in _CURVE]
            at.plot(_CURVE, found, style, color="black", label=way)
        at.set_xscale("log")
        at.set_title(f"{engine}, {measured.size:,} entries")
        at.set_xlabel("false alerts a day")
        at.grid(visible=True, alpha=0.3)
    axes[0][0].set_ylabel("misread listed vehicles found, %")
    axes[0][0].legend(loc="upper left", fontsize=7)
    _save(figure, path)


def _draw_reliability(path: Path, runs: Sequence[tuple[str, Measured]]) -> None:
    figure, axes = plt.subplots(1, len(runs), figsize=(3.6 * len(runs), 3.2), sharey=True, squeeze=False)
    for at, (engine, measured) in zip(axes[0], runs, strict=True):
        at.plot((0, 1), (0, 1), color="grey", linewidth=0.8)
        for tier, marker in zip(range(len(TIERS) - 1), "osD^", strict=True):
            rows = [row for row in _reliability(measured, tier) if row["alerts_a_day"] * measured.days >= 20]
            at.plot(
                [row["mean_score"] for row in rows], [row["true_share"] for row in rows], marker, label=TIERS[tier],
                markersize=4,
            )  # fmt: skip
        at.set_title(f"{engine}, {measured.size:,} entries")
        at.set_xlabel("score")
        at.grid(visible=True, alpha=0.3)
    axes[0][0].set_ylabel("share that is the listed vehicle")
    axes[0][0].legend(loc="upper left", fontsize=7)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _at(measured: Measured, false_a_day: float) -> dict[str, Any]:
    found = {way: measured.found_at(way, false_a_day)[1] for way in WAYS}
    count = len(measured.found[MATCHER])
    best_rule = max(share for way, share in found.items() if way != MATCHER)
    return {
        "false_a_day": false_a_day,
        "found": {way: _share(round(share * count), count) for way, share in found.items()},
        "points_more": round(100 * (found[MATCHER] - best_rule), 1),
    }


def _of_tier(measured: Measured, tier: int) -> dict[str, Any]:
    found = (measured.found[MATCHER] >= 0) & (measured.found_tiers == tier)
    false = (measured.false[MATCHER] >= 0) & (measured.false_tiers == tier)
    return {
        "tier": TIERS[tier],
        "found": _share(int(found.sum()), len(found)),
        "false_a_day": _a_day(int(false.sum()), measured.days),
    }


def _of_country(measured: Measured, country: int) -> dict[str, Any]:
    of_country = measured.found_countries == country
    false = (measured.false[MATCHER] >= 0) & (measured.false_countries == country)
    vehicles = measured.vehicles_by_country[country]
    return {
        "country": country_text(country),
        "vehicles_a_day": round(vehicles),
        "found": _share(int((measured.found[MATCHER][of_country] >= 0).sum()), int(of_country.sum())),
        "false_a_day_of_its_own": _a_day(int(false.sum()), measured.days * vehicles / VEHICLES_A_DAY),
    }


def _reliability(measured: Measured, tier: int) -> list[dict[str, Any]]:
    """Return by score, at the stated share of listed vehicles, how many of a tier's alerts are the listed vehicle."""
    false = measured.false[MATCHER][measured.false_tiers == tier]
    true = measured.listed[measured.listed_tiers == tier]
    listed_a_day = VEHICLES_A_DAY * LISTED_SHARE
    rows = []
    for low, high in pairwise(_BINS):
        false_a_day = _between(false, low, high) / measured.days
        true_a_day = _between(true, low, high) / len(measured.listed) * listed_a_day
        both = np.concatenate([false, true])
        both = both[(both >= low) & (both < high)]
        if false_a_day + true_a_day > 0:
            rows.append({
                "tier": TIERS[tier],
                "from": low,
                "to": high,
                "mean_score": round(float(both.mean()), 4),
                "true_share": round(true_a_day / (false_a_day + true_a_day), 4),
                "alerts_a_day": round(false_a_day + true_a_day, 3),
            })  # fmt: skip
    return rows


def _between(scores: NDArray[np.float64], low: float, high: float) -> int:
    return int(((scores >= low) & (scores < high)).sum())


def _share(count: int, of: int) -> dict[str, float]:
    """Return a share with its 95 % interval (Wilson's)."""
    if of == 0:
        return {"share": math.nan, "low": 0.0, "high": 1.0}
    share, square = count / of, _SURE**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _SURE / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of**2))
    return {"share": round(share, 4), "low": round(middle - half, 4), "high": round(middle + half, 4)}


def _a_day(count: int, days: float) -> dict[str, float]:
    """Return a rate with its 95 % interval (Byar's approximation to Poisson's)."""
    low = count * (1 - 1 / (9 * count) - _SURE / (3 * math.sqrt(count))) ** 3 if count else 0.0
    more = count + 1
    high = more * (1 - 1 / (9 * more) + _SURE / (3 * math.sqrt(more))) ** 3
    return {"a_day": round(count / days, 3), "low": round(low / days, 3), "high": round(high / days, 3)}


def _percent(cell: dict[str, float]) -> str:
    if math.isnan(cell["share"]):
        return "none measured"
    return f"{100 * cell['share']:.1f} % ({100 * cell['low']:.1f}-{100 * cell['high']:.1f})"


def _rate(cell: dict[str, float]) -> str:
    return f"{cell['a_day']:.2f} ({cell['low']:.2f}-{cell['high']:.2f})"
