"""`anpr calibration show`: the calibrated cameras."""

import click

from anpr.cli import settings_of
from anpr.cli.calibration.common import SHOWN, numbers, print_lines
from anpr.cli.output import json_option, print_table, wants_json
from anpr.runtime.plurals import counted
from anpr.watchlist.store.home import watchlist_reader
from anpr.watchlist.store.manifest import CameraCalibration

_TIME = "%Y-%m-%d %H:%M"
_COLUMNS = ("site", "camera", *(f"{shown:.2f} is" for shown in SHOWN), "applied at", "learned from")


@click.command(name="show")
@json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Show the calibrated cameras, and what their confidences count as.

    It also shows which reads each calibration was learned from. Times are UTC.
    \b
    Examples:
      anpr calibration show
      anpr calibration show --json
    """
    manifest = watchlist_reader(settings_of(ctx)).read_manifest()
    calibrations = manifest.calibrations if manifest else ()
    if not calibrations:
        click.echo("no camera is calibrated: each confidence counts as it is", err=True)
    elif wants_json(as_json=as_json):
        print_lines(map(_line, calibrations))
    else:
        print_table(_COLUMNS, map(_cells, calibrations), wrapped=_COLUMNS[-1])
        click.echo(f"{SHOWN[0]:.2f} is: what a confidence of {SHOWN[0]:.2f} counts as", err=True)


def _line(one: CameraCalibration) -> dict[str, object]:
    """Return what a program gets: all but the counts."""
    learned_from = {"reads": one.reads, "since": one.since, "until": one.until}
    applied = {"applied_at": one.applied_at, "generation": str(one.generation)}
    return {"site": one.site, "camera": one.camera} | numbers({"is": one}) | learned_from | applied


def _cells(one: CameraCalibration) -> list[str]:
    applied_at = f"{one.applied_at:{_TIME}}" if one.applied_at else "-"
    learned_from = f"{counted(one.reads, 'read')} from {one.since:{_TIME}} until {one.until:{_TIME}}"
    return [one.site, one.camera, *numbers({"is": one}).values(), applied_at, learned_from]
