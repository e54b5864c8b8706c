"""Shared by the subcommands: the active calibrations on this machine, and what they do in numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

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

# What a command says where `active_calibrations` returns None.
NO_INDEX = "no usable index of the active lists is on this machine"
# Shown of each camera: a doubt, and what many cameras call sure.
SHOWN = (0.6, 0.9)

why_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--why", required=True, help="The reason, for the log and the audit."
)

InForce = Mapping[tuple[str, str], CameraCalibration]


def active_calibrations(settings: Settings) -> tuple[CameraCalibration, ...] | None:
    """Return the calibrations of the index on this machine; None where it has no usable index."""
    try:
        return IndexFolder(settings.index_dir).read_manifest().index_manifest.watchlist.calibrations
    except (DamagedError, OSError):
        return None


def by_name(calibrations: Iterable[CameraCalibration]) -> InForce:
    """Return the calibrations by site and camera."""
    return {calibration.name: calibration for calibration in calibrations}


def numbers(calibrations: Mapping[str, CameraCalibration | None]) -> dict[str, str]:
    """Return, for each confidence of SHOWN, what it counts as by each of these, by their names; None: as it is."""
    return {
        f"{shown:.2f} {name}": f"{counts_as(calibration.counts, shown) if calibration else shown:.2f}"
        for shown in SHOWN
        for name, calibration in calibrations.items()
    }


def show_rows(rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print a table on a terminal, for programs a JSON line for each row."""
    if wants_json(as_json=as_json):
        print_lines(rows)
    else:
        print_table(list(rows[0]), [list(row.values()) for row in rows])


def print_lines(rows: Iterable[Mapping[str, object]]) -> None:
    """Print a JSON line for each row."""
    for row in rows:
        click.echo(msgspec.json.encode(row).decode())


def explain_numbers() -> None:
    """Say on stderr what the columns of `numbers` are."""
    click.echo(
        f"{SHOWN[0]:.2f} was, is: what a confidence of {SHOWN[0]:.2f} counted as, and counts as with this", err=True
    )


def report_calibrated(applied: AppliedChange) -> None:
    """Say on stderr which generation a change has made, and how many cameras are calibrated."""
    click.echo(
        f"generation {applied.generation} is active: {counted(applied.entries, 'camera')} calibrated "
        f"({applied.added} added, {applied.changed} changed, {applied.removed} removed)",
        err=True,
    )
