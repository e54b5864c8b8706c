"""Shared by the subcommands: the calibrations in force on this machine, and what they do in numbers."""

from collections.abc import Iterable, Mapping, Sequence

import click
import msgspec

from anpr.cli.output import print_table, wants_json
from anpr.index_store.folder import IndexFolder
from anpr.index_store.index_file import DamagedError
from anpr.matching.scoring.confidence_calibration import counts_as
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings
from anpr.watchlist.store.applied_change import AppliedChange
from anpr.watchlist.store.manifest import CameraCalibration

# Shown of each camera: a doubt, and what many cameras call sure.
SHOWN = (0.6, 0.9)
NUMBER_COLUMNS = tuple(f"{shown:.2f} {when}" for shown in SHOWN for when in ("until now", "counts as"))

InForce = Mapping[tuple[str, str], CameraCalibration]


def in_force_here(settings: Settings) -> tuple[CameraCalibration, ...] | None:
    """Return the calibrations of the index on this machine; None where it has no usable index."""
    try:
        return IndexFolder(settings.index_dir).read_manifest().index_manifest.watchlist.calibrations
    except (DamagedError, OSError):
        return None


def by_name(calibrations: Iterable[CameraCalibration]) -> InForce:
    """Return the calibrations by site and camera."""
    return {calibration.name: calibration for calibration in calibrations}


def numbers(before: CameraCalibration | None, after: CameraCalibration | None) -> list[str]:
    """Return what each confidence of SHOWN counted as before a change, and counts as after it."""
    return [
        f"{counts_as(calibration.counts, shown) if calibration else shown:.2f}"
        for shown in SHOWN
        for calibration in (before, after)
    ]


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[object]], *, as_json: bool) -> None:
    """Print a table on a terminal; for programs a JSON line for each row, with these columns."""
    if not wants_json(as_json=as_json):
        print_table(columns, rows)
        return
    for row in rows:
        click.echo(msgspec.json.encode(dict(zip(columns, row, strict=True))).decode())


def report_calibrated(applied: AppliedChange) -> None:
    """Say on stderr which generation a change has made, and how many cameras are calibrated."""
    click.echo(
        f"generation {applied.generation} is active: {counted(applied.entries, 'camera')} calibrated "
        f"({applied.added} added, {applied.changed} changed, {applied.removed} removed)",
        err=True,
    )
