"""`anpr watchlist cost`: the vehicles that each tolerance would find for a list, and the false alerts."""

from collections.abc import Mapping
from pathlib import Path

import click
import msgspec
import numpy as np

from anpr.backtest.tolerances import ToleranceCost, ToleranceCosts, estimate_tolerance_costs
from anpr.cli import settings_of
from anpr.cli.files import FILE_PATH
from anpr.cli.output import json_option, wants_json
from anpr.cli.progress_line import ProgressLine
from anpr.cli.watchlist.common import list_context, list_file_options, list_format_of, show_faults
from anpr.runtime.plurals import counted
from anpr.watchlist.csv_file import read_list
from anpr.watchlist.plan import unexpired_entries


@click.command(name="cost")
@click.argument("file", type=FILE_PATH)
@list_file_options
@click.option(
    "--days",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="How many days of traffic to simulate.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same traffic.")
@json_option
@click.pass_context
def command(  # noqa: PLR0913  each is an option
    ctx: click.Context,
    *,
    file: Path,
    encoding: str,
    columns: Mapping[str, str],
    valid_for: float | None,
    days: int,
    seed: int,
    as_json: bool,
) -> None:
    """Show what each tolerance would find and cost for a list.

    Nothing is changed. The traffic is simulated from the tables that matching uses: 20,000 vehicles a day that are
    not listed, and listed vehicles that are misread. If you have reads from the past, use `plan --reads`: it counts
    the alerts that a list really would have raised.

    Each number has a 95 % interval: how far it could move with more days of traffic. The interval does not show how
    far the tables are from real life. The table is on stderr; programs get JSON on stdout. Exit code 1: lines were
    refused.

    \b
    Examples:
      anpr watchlist cost stolen.csv
      anpr watchlist cost stolen.csv --days 100
      anpr watchlist cost export.csv --columns plate=PLATE,country=STATE --valid-for 30d
    """
    context = list_context(settings_of(ctx))
    list_format = list_format_of(encoding, columns, valid_for, context)
    content = read_list(file, "cost", list_format, ProgressLine(f"reading {file.name}"), context)
    show_faults(file, content)
    costs = estimate_tolerance_costs(
        unexpired_entries(content, context.at), days, np.random.default_rng(seed), ProgressLine("simulating vehicles")
    )
    if wants_json(as_json=as_json):
        click.echo(msgspec.json.encode(costs).decode())
    _print_table(costs)
    ctx.exit(1 if content.refused else 0)


def _print_table(costs: ToleranceCosts) -> None:
    click.echo(
        f"{counted(costs.entries, 'entry', 'entries')}, {costs.patterns} of them patterns; "
        f"days of traffic: {costs.days:g}",
        err=True,
    )
    click.echo(f"  {'tolerance':12}{'misread vehicles found':>26}{'false alerts a day':>26}", err=True)
    for cost in costs.tolerances:
        found, false = _found_and_false(cost)
        click.echo(f"  {cost.tolerance:12}{found:>26}{false:>26}", err=True)
    if costs.patterns:
        a_day = _with_interval(costs.patterns_a_day, costs.patterns_a_day_interval, 2)
        click.echo(f"  patterns add {a_day} alerts a day, for any vehicle that fits them", err=True)
    click.echo(
        "  Brackets hold 95 % intervals. This traffic is made up: its plates, misreads and confidences come from\n"
        "  the tables, not from your cameras. For 100,000 entries it shows 74 % and 4 a day for `near`. Measured\n"
        "  reads show 64 % and 6.6 (docs/quality.md). `anpr watchlist plan --reads` counts on real reads",
        err=True,
    )


def _found_and_false(cost: ToleranceCost) -> tuple[str, str]:
    """Return the two cells of a tolerance: the share that is found, and the false alerts a day."""
    if cost.found_share is None or cost.found_share_interval is None:
        return "no plate to misread", "no plate to mistake"
    low, high = cost.found_share_interval
    found = _with_interval(100 * cost.found_share, (100 * low, 100 * high), 1, " %")
    return found, _with_interval(cost.false_a_day, cost.false_a_day_interval, 2)


def _with_interval(value: float, interval: tuple[float, float], digits: int, unit: str = "") -> str:
    low, high = interval
    return f"{value:.{digits}f}{unit} ({low:.{digits}f}-{high:.{digits}f})"
