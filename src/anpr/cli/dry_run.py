"""`anpr dry-run`: match a file of reads against a list, without Kafka and Redis."""

import sys
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import click

from anpr.backtest.replay import BacktestReplay
from anpr.cli import settings_of
from anpr.cli.calibration.common import NO_INDEX, active_calibrations, by_name
from anpr.cli.files import FILE_PATH, OPEN_FILE
from anpr.cli.watchlist.common import list_context, list_file_options, list_format_of, show_faults, show_unknown_sites
from anpr.contracts.events import encode
from anpr.contracts.local_days import LocalDays
from anpr.reads.decoder import BadRead
from anpr.reads.json_lines import numbered_lines
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings
from anpr.watchlist import calibration_file
from anpr.watchlist.calibrations import calibrations_of
from anpr.watchlist.csv_file import read_list
from anpr.watchlist.store.manifest import CameraCalibration


@click.command(name="dry-run")
@click.option(
    "--watchlist",
    "list_file",
    required=True,
    type=FILE_PATH,
    help="The list file, as for `anpr watchlist plan`.",
)
@click.option("--reads", "reads_file", required=True, type=OPEN_FILE, help="The reads as JSON lines; - for stdin.")
@click.option("--list", "list_name", default="dry-run", show_default=True, help="The name of the list in the alerts.")
@click.option(
    "--back-check",
    is_flag=True,
    help="Print the alerts that these reads would raise had they passed before the list was applied.",
)
@click.option(
    "--calibration",
    type=FILE_PATH,
    help="Use the calibrations of this file too, as if it were applied: a file of `anpr calibration learn`.",
)
@list_file_options
@click.pass_context
def command(  # noqa: PLR0913  each is an option
    ctx: click.Context,
    *,
    list_file: Path,
    reads_file: BinaryIO,
    list_name: str,
    back_check: bool,
    calibration: Path | None,
    encoding: str,
    columns: Mapping[str, str],
    valid_for: float | None,
) -> None:
    """Match a file of reads against a list and print the alerts.

    Alerts go to stdout, one JSON line each, with the same ids as in the live system. Refused lines and a summary by
    tier, entry and day go to stderr. Each read is matched at its `received_at`, or at its capture time if it has no
    `received_at`. Exit code 1: lines were refused.

    With --back-check, every alert is retrospective and `valid_from` is ignored, as when `anpr back-check` looks for
    newly listed vehicles among earlier reads. The calibrations in this machine's index count here too.

    \b
    Examples:
      anpr dry-run --watchlist config/example_watchlist.csv --reads reads.jsonl > alerts.jsonl
      anpr dry-run --watchlist export.csv --columns plate=PLATE --valid-for 30d --reads reads.jsonl
      anpr dry-run --watchlist stolen.csv --reads reads.jsonl --calibration calais.json
    """
    settings = settings_of(ctx)
    late_after = timedelta(seconds=settings.matcher.late_after_seconds)
    context = list_context(settings)
    list_format = list_format_of(encoding, columns, valid_for, context)
    content = read_list(list_file, list_name, list_format, context=context)
    show_faults(list_file, content)
    days = LocalDays(settings.zones)
    calibrations = _calibrations(settings, calibration)
    replay = BacktestReplay(
        content.entries, late_after, days, calibrations=calibrations_of(calibrations), is_back_check=back_check
    )
    refused = 0
    tally: dict[str, Counter[str]] = {"tier": Counter(), "day": Counter(), "entry": Counter()}
    out = sys.stdout.buffer
    for number, line in numbered_lines(reads_file):
        try:
            _, alerts = replay.match_line(line)
        except BadRead as error:
            refused += 1
            click.echo(f"{reads_file.name}: line {number}: {error}", err=True)
            continue
        for alert in alerts:
            out.write(encode(alert) + b"\n")
            tally["tier"][alert.tier] += 1
            tally["day"][days.date_at(alert.read.site, alert.captured_at).isoformat()] += 1
            tally["entry"][alert.entry.entry_id] += 1
    out.flush()
    show_unknown_sites(reads_file.name, replay.reads_of_site, settings.sites)
    click.echo(
        f"{counted(replay.reads, 'read')} matched, {counted(refused, 'line')} refused, "
        f"{counted(tally['tier'].total(), 'alert')}, {counted(replay.corrections, 'correction')}",
        err=True,
    )
    for kind, counts in tally.items():
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]:
            click.echo(f"  {kind} {name}: {count}", err=True)
    ctx.exit(1 if refused or content.refused else 0)


def _calibrations(settings: Settings, file: Path | None) -> list[CameraCalibration]:
    """Return the calibrations of a file, and those active on this machine of other cameras. Say how many."""
    active = active_calibrations(settings)
    tried = [] if file is None else calibration_file.read(file, settings.sites).calibrations
    others = [one for one in active or () if one.name not in by_name(tried)]
    said = [
        *([f"{counted(len(tried), 'camera')} as in the file"] if tried else []),
        *([f"{counted(len(others), 'camera')} as in the index of this machine"] if others else []),
        *([NO_INDEX] if active is None else []),
    ]
    if said:
        click.echo(f"{'calibrated' if tried or others else 'no camera is calibrated'}: {', '.join(said)}", err=True)
    return [*others, *tried]
