"""The figures of a run: as numbers with their intervals, as a table for people, as pictures."""

import math
from collections.abc import Sequence
from itertools import cycle, pairwise, product
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from anpr.backtest import confidence_intervals
from anpr.contracts.events import TIERS
from anpr.matching.encoding.plate_codes import country_text
from anpr.matching.lookup.plate_table import NEAR_TIER
from anpr.matching.scoring.likelihood import LISTED_SHARE, NEAR_ODDS
from benchmarks.quality import kinds
from benchmarks.quality.measure import CALIBRATED, MATCHER, METHODS, Measured
from benchmarks.quality.passes import TOLERANCES, VEHICLES_A_DAY, WAYS, ByPass
from benchmarks.quality.rules import RULES

mpl.use("svg")
from matplotlib import pyplot as plt

POINTS = (1.0, 2.0, 15.0)
POINTS_BY_PASS = (2.0, 15.0)
_BINS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.97, 1.0001)
# The picture of reliability leaves out shares below the first, and marks for fewer alerts than the second.
_LEAST_DRAWN, _FEWEST_DRAWN = 1e-3, 10
# The curve of a calibrated camera would lie on that of the matcher.
_DRAWN = tuple(method for method in METHODS if method != CALIBRATED)
_CURVE = tuple(float(value) for value in np.geomspace(0.2, 50, 40))


def figures(engine: str, measured: Measured) -> dict[str, Any]:
    """Return all figures of one engine and one list."""
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
        "by_pass": None if measured.by_pass is None else _by_pass(measured.by_pass),
        "by_country": [_of_country(measured, country) for country in sorted(measured.vehicles_by_country)],
        "near_false_a_day": {
            kind: _a_day(int((_near_alerts(measured) & (measured.false_kinds == number)).sum()), measured.days)
            for number, kind in enumerate(kinds.UNLISTED)
        },
        "near_odds": near_odds(measured, MATCHER),
        "calibrated": {
            "found": _share(int((measured.found[CALIBRATED] >= 0).sum()), len(measured.found[CALIBRATED])),
            "false_a_day": _a_day(int((measured.false[CALIBRATED] >= 0).sum()), measured.days),
            "near_odds": near_odds(measured, CALIBRATED),
        },
        "reliability": [row for tier in range(len(TIERS) - 1) for row in _reliability(measured, tier)],
    }


def lines(of: dict[str, Any]) -> list[str]:
    """Return the figures as lines of text."""
    misread, days = of["misread_listed_vehicles"], f"{of['days']:g} days of {VEHICLES_A_DAY:,} vehicles"
    out = [
        f"{of['engine']}, {of['entries']:,} entries, {misread} misread listed vehicles, {days} that are not listed",
        f"  {'found at most so many false a day':36}" + "".join(f"{point:>22g}" for point in POINTS),
    ]
    for method in METHODS:
        cells = [at["found"][method] for at in of["at"]]
        out.append(f"  {method:36}" + "".join(f"{_percent(cell):>22}" for cell in cells))
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
    out += _lines_by_pass(of["by_pass"])
    out.append("  by nationality, as shipped: found, false in a day of 20,000 of its vehicles, what its misreads are")
    out += [
        f"    {row['country']:4} {_percent(row['found']):>22}   {_rate(row['false_a_day_of_its_own']):>22}   "
        + ", ".join(f"{kind} {100 * share:.0f} %" for kind, share in row["misreads"].items())
        + f"; good plates of one edit {100 * row['one_edit_good']:.0f} %"
        for row in of["by_country"]
    ]
    by_vehicle = (f"{kind} {_rate(cell)}" for kind, cell in of["near_false_a_day"].items())
    out.append(f"  false near alerts a day, by the vehicle: {', '.join(by_vehicle)}")
    odds = of["near_odds"]
    out.append(
        f"  near scores are right on average with {odds['factor']} ({odds['low']}-{odds['high']}) times the odds "
        f"of the tables; the program uses {odds['used']}"
    )
    learned = of["calibrated"]
    out.append(
        f"  with its camera calibrated, as shipped: {_percent(learned['found'])} found, "
        f"{_rate(learned['false_a_day'])} false a day; near scores right with {learned['near_odds']['factor']} "
        f"({learned['near_odds']['low']}-{learned['near_odds']['high']}) times"
    )
    out.append("  reliability: of alerts with such a score, the share that is the listed vehicle")
    out += [
        f"    {row['tier']:12} {row['from']:.2f} to {min(row['to'], 1):.2f}: mean score {row['mean_score']:.3f}, "
        f"true {row['true_share']:.3f} ({row['low']:.3f}-{row['high']:.3f}) of {row['alerts_a_day']:.2f} a day"
        for row in of["reliability"]
    ]
    return out


def _by_pass(passes: ByPass) -> dict[str, Any]:
    hard = passes.is_never_right
    return {
        "days": passes.days,
        "listed_passes": len(hard),
        "never_read_right": int(hard.sum()),
        "rows": [
            {
                "tolerance": tolerance,
                "way": way,
                "as_shipped": _of_passes(passes.found[way, tolerance] >= 0, hard)
                | {"false_a_day": _a_day(int((passes.false[way, tolerance] >= 0).sum()), passes.days)},
                "at": [
                    {"false_a_day": point} | _of_passes(passes.found_at(way, tolerance, point), hard)
                    for point in POINTS_BY_PASS
                ],
            }
            for tolerance in TOLERANCES
            for way in WAYS
        ],
    }


def _of_passes(found: NDArray[np.bool_], hard: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        "found": _share(int(found.sum()), len(found)),
        "found_never_read_right": _share(int(found[hard].sum()), int(hard.sum())),
    }


def _lines_by_pass(of: dict[str, Any] | None) -> list[str]:
    if of is None:
        return ["  by the pass: not measured, the engine has too few misreads"]
    points = "".join(f"{f'at {point:g} false passes a day':>36}" for point in POINTS_BY_PASS)
    out = [
        (
            f"  by the pass: {of['listed_passes']} passes of listed vehicles, {of['never_read_right']} of them never "
            f"read right, {of['days']:g} days of others; found, and of those never read right"
        ),
        f"    {'':42}{points}{'as shipped':>36}   false a day",
    ]
    for row in of["rows"]:
        cells = [*row["at"], row["as_shipped"]]
        shares = "".join(
            f"{100 * cell['found']['share']:10.2f} %, {_percent(cell['found_never_read_right']):>22}"
            for cell in cells
        )
        out.append(f"    {row['tolerance']:9}{row['way']:33}{shares}   {_rate(row['as_shipped']['false_a_day'])}")
    return out


def draw(folder: Path, runs: Sequence[tuple[str, Measured]]) -> None:
    """Draw the curves and the reliability of all runs into SVG files."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update({"svg.hashsalt": "quality", "svg.fonttype": "none", "font.size": 9})
    _draw_curves(folder / "found.svg", runs)
    _draw_reliability(folder / "reliability.svg", runs)


def _draw_curves(path: Path, runs: Sequence[tuple[str, Measured]]) -> None:
    """Draw a row for each engine and a column for each size of list."""
    by_engine = {name: [run for engine, run in runs if engine == name] for name, _ in runs}
    columns = max(map(len, by_engine.values()))
    size = (3.6 * columns, 3.0 * len(by_engine))
    figure, axes = plt.subplots(len(by_engine), columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    for row, (engine, of_engine) in zip(axes, by_engine.items(), strict=True):
        for at, measured in zip(row, of_engine, strict=False):
            for method, style in zip(_DRAWN, ("-", "-.", "--", ":"), strict=True):
                found = [100 * measured.found_at(method, a_day)[1] for a_day in _CURVE]
                at.plot(_CURVE, found, style, color="black", label=method)
            at.set_xscale("log")
            at.set_title(f"{engine}, {measured.size:,} entries")
            at.grid(visible=True, alpha=0.3)
        row[0].set_ylabel("misread listed vehicles found, %")
    for at in axes[-1]:
        at.set_xlabel("false alerts a day")
    axes[0][0].legend(loc="lower right", fontsize=7)
    _save(figure, path)


def _draw_reliability(path: Path, runs: Sequence[tuple[str, Measured]]) -> None:
    """Draw a row for each engine and a column for each tier. On both axes equal distances are equal factors."""
    by_engine = {name: [run for engine, run in runs if engine == name] for name, _ in runs}
    tiers = range(len(TIERS) - 1)
    size = (2.6 * len(tiers), 2.7 * len(by_engine))
    figure, axes = plt.subplots(len(by_engine), len(tiers), figsize=size, sharex=True, sharey=True, squeeze=False)
    for (row, engine), tier in product(enumerate(by_engine), tiers):
        at = axes[row][tier]
        at.plot((_LEAST_DRAWN, 1), (_LEAST_DRAWN, 1), color="grey", linewidth=0.8)
        for measured, marker in zip(by_engine[engine], cycle("os^D"), strict=False):
            rows = [of for of in _reliability(measured, tier) if of["alerts"] >= _FEWEST_DRAWN]
            true = [max(of["true_share"], _LEAST_DRAWN) for of in rows]
            below = [share - min(max(of["low"], _LEAST_DRAWN), share) for share, of in zip(true, rows, strict=True)]
            above = [max(of["high"], share) - share for share, of in zip(true, rows, strict=True)]
            at.errorbar(
                [of["mean_score"] for of in rows], true, (below, above), fmt=marker, color="black", ecolor="grey",
                markersize=4, markerfacecolor="none", label=f"{measured.size:,} entries",
            )  # fmt: skip
        at.set(xscale="log", yscale="log", xlim=(_LEAST_DRAWN, 1.3), ylim=(_LEAST_DRAWN, 1.3))
        at.set_title(f"{engine}: {TIERS[tier]}")
        at.grid(visible=True, alpha=0.3)
    for at in axes[-1]:
        at.set_xlabel("score")
    for row in axes:
        row[0].set_ylabel("share that is the listed vehicle")
    axes[0][-1].legend(loc="upper left", fontsize=7)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _at(measured: Measured, false_a_day: float) -> dict[str, Any]:
    found = {method: measured.found_at(method, false_a_day)[1] for method in METHODS}
    count = len(measured.found[MATCHER])
    best_rule = max(found[rule] for rule in RULES)
    return {
        "false_a_day": false_a_day,
        "found": {method: _share(round(share * count), count) for method, share in found.items()},
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
        "misreads": {
            kind: _mean(measured.found_kinds[of_country] == number) for number, kind in enumerate(kinds.MISREADS)
        },
        "one_edit_good": _mean(measured.found_good[of_country & (measured.found_kinds == kinds.ONE_EDIT)]),
    }


def _mean(which: NDArray[np.bool_]) -> float:
    return round(float(which.mean()), 4) if len(which) else math.nan


def _near_alerts(measured: Measured, method: str = MATCHER) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = (measured.false[method] >= 0) & (measured.false_tiers == NEAR_TIER)
    return near


def near_odds(measured: Measured, method: str) -> dict[str, float]:
    """Return the factor on the odds of the tables that makes the near scores right on average.

    Then the amounts by which the scores of true alerts are below 1, and those of false alerts above 0, are equal. The
    interval has the factors at which they differ by no more than 95 % of chance allows.
    """
    listed = measured.listed[method]
    true = listed[(measured.listed_tiers == NEAR_TIER) & (listed >= 0)]
    scores = np.concatenate([true, measured.false[method][_near_alerts(measured, method)]])
    is_true = np.arange(len(scores)) < len(true)
    weights = np.where(is_true, VEHICLES_A_DAY * LISTED_SHARE / len(listed), 1 / measured.days)
    odds = scores / (1 - np.minimum(scores, 0.9999)) / NEAR_ODDS

    def lacking(factor: float) -> NDArray[np.float64]:
        lacks: NDArray[np.float64] = weights * (is_true - odds * factor / (1 + odds * factor))
        return lacks

    factors = np.geomspace(0.01, 10, 1000)
    chance = [float(lacking(factor).sum() / np.sqrt((lacking(factor) ** 2).sum())) for factor in factors]
    within = [
        round(float(factors[int(np.argmin(np.abs(np.array(chance) - at)))]), 2)
        for at in (0, confidence_intervals.STANDARD_DEVIATIONS_95, -confidence_intervals.STANDARD_DEVIATIONS_95)
    ]
    return {"factor": within[0], "low": within[1], "high": within[2], "used": NEAR_ODDS}


def _reliability(measured: Measured, tier: int) -> list[dict[str, Any]]:
    """Return by score the share of a tier's alerts that are right, at the stated share of listed vehicles."""
    false = measured.false[MATCHER][measured.false_tiers == tier]
    listed = measured.listed[MATCHER]
    true = listed[measured.listed_tiers == tier]
    # How many alerts a day each false alert and each true alert counts for.
    of_false, of_true = 1 / measured.days, VEHICLES_A_DAY * LISTED_SHARE / len(listed)
    rows = []
    for low, high in pairwise(_BINS):
        wrong, right = (scores[(scores >= low) & (scores < high)] for scores in (false, true))
        false_a_day, true_a_day = len(wrong) * of_false, len(right) * of_true
        if len(wrong) + len(right):
            rows.append({
                "tier": TIERS[tier],
                "from": low,
                "to": high,
                "mean_score": round((wrong.sum() * of_false + right.sum() * of_true) / (false_a_day + true_a_day), 4),
                "true_share": round(true_a_day / (false_a_day + true_a_day), 4),
                **_true_between(len(right), len(wrong), of_true / of_false),
                "alerts": len(wrong) + len(right),
                "alerts_a_day": round(false_a_day + true_a_day, 3),
            })  # fmt: skip
    return rows


def _true_between(right: int, wrong: int, weight: float) -> dict[str, float]:
    """Return the 95 % interval of the share of right alerts, each with the weight of so many wrong ones."""
    shares = confidence_intervals.share_interval(right, right + wrong)
    low, high = (share * weight / (share * weight + 1 - share) for share in shares)
    return {"low": round(low, 4), "high": round(high, 4)}


def _share(count: int, of: int) -> dict[str, float]:
    """Return a share with its 95 % interval."""
    low, high = confidence_intervals.share_interval(count, of)
    return {"share": round(count / of, 4) if of else math.nan, "low": round(low, 4), "high": round(high, 4)}


def _a_day(count: int, days: float) -> dict[str, float]:
    """Return a rate with its 95 % interval."""
    low, high = confidence_intervals.count_interval(count)
    return {"a_day": round(count / days, 3), "low": round(low / days, 3), "high": round(high / days, 3)}


def _percent(cell: dict[str, float]) -> str:
    if math.isnan(cell["share"]):
        return "none measured"
    return f"{100 * cell['share']:.1f} % ({100 * cell['low']:.1f}-{100 * cell['high']:.1f})"


def _rate(cell: dict[str, float]) -> str:
    return f"{cell['a_day']:.2f} ({cell['low']:.2f}-{cell['high']:.2f})"
