"""`anpr watchlist cost`: what each tolerance would find and cost for a list."""

from pathlib import Path

import click
import msgspec
import numpy as np

from anpr.backtest.tolerances import ToleranceCost, TolerancesCost, tolerances_cost
from anpr.cli.files import FILE_PATH
from anpr.cli.progress_line import ProgressLine
from anpr.cli.watchlist.common import show_refusals
from anpr.watchlist.csv_file import ENCODINGS, read_list


@click.command(name="cost")
@click.argument("file", type=FILE_PATH)
@click.option("--encoding", type=click.Choice(ENCODINGS), default="utf-8", show_default=True, help="Of FILE.")
@click.option("--days", type=click.IntRange(1, 1000), default=10, show_default=True, help="Days of traffic.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same traffic.")
def command(*, file: Path, encoding: str, days: int, seed: int) -> None:
    """Say what each tolerance would find and cost if every entry of FILE had it. Nothing is changed.

    The traffic is made up from the tables that matching rests on: 20,000 vehicles a day that are not listed, and
    listed ones that are misread. With reads of the past, `plan --reads` says what really would have rung. Figures
    have 95 % intervals: they say how much more days would change, and nothing of how far the tables are from life.
    JSON on stdout, words on stderr. Exit code 1 when lines were refused.

    \b
    Examples:
      anpr watchlist cost stolen.csv
      anpr watchlist cost stolen.csv --days 100
    """
    content = read_list(file, "cost", encoding, ProgressLine(f"reading {file.name}"))
    show_refusals(file, content)
    cost = tolerances_cost(content.entries, days, np.random.default_rng(seed), ProgressLine("vehicles going by"))
    click.echo(msgspec.json.encode(cost).decode())
    _say(cost)
    click.get_current_context().exit(1 if content.refused else 0)


def _say(cost: TolerancesCost) -> None:
    click.echo(
        f"{cost.entries} entries, {cost.patterns} of them patterns, in {cost.days:g} days of traffic", err=True
    )
    click.echo(f"  {'tolerance':12}{'misread vehicles found':>26}{'false alerts a day':>26}", err=True)
    for one in cost.tolerances:
        found, false = _figures(one)
        click.echo(f"  {one.tolerance:12}{found:>26}{false:>26}", err=True)
    if cost.patterns:
        a_day = _with_interval(cost.patterns_a_day, cost.patterns_a_day_interval, 2)
        click.echo(f"  patterns ring {a_day} times a day besides, whoever the vehicle is", err=True)
    click.echo(
        "  in brackets 95 % intervals. This traffic is made up: plates, misreads and confidences of the tables, not\n"
        "  of your cameras. At 100,000 entries it says 74 % and 4 a day for `near`, measured reads 64 % and 6.6\n"
        "  (docs/quality.md). `anpr watchlist plan --reads` counts on real reads",
        err=True,
    )


def _figures(one: ToleranceCost) -> tuple[str, str]:
    """Return what is found and what is false, in words."""
    if one.found_share is None or one.found_share_interval is None:
        return "no plate to misread", "nor to mistake"
    low, high = one.found_share_interval
    found = _with_interval(100 * one.found_share, (100 * low, 100 * high), 1, " %")
    return found, _with_interval(one.false_a_day, one.false_a_day_interval, 2)


def _with_interval(value: float, interval: tuple[float, float], digits: int, unit: str = "") -> str:
    low, high = interval
    return f"{value:.{digits}f}{unit} ({low:.{digits}f}-{high:.{digits}f})"
