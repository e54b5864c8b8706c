"""`anpr calibration show`: the calibrated cameras."""

import click

from anpr.cli import settings_of
from anpr.cli.calibration.common import SHOWN, numbers, show_rows
from anpr.cli.output import json_option
from anpr.watchlist.store.home import watchlist_reader

_COLUMNS = ("site", "camera", "reads", "since", "until", "applied at", *(f"{shown:.2f} counts as" for shown in SHOWN))
_TIME = "%Y-%m-%d %H:%M"


@click.command(name="show")
@json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """Show the calibrated cameras, what they were learned from, and what their confidences count as. Times are UTC.

    \b
    Examples:
      anpr calibration show
      anpr calibration show --json
    """
    manifest = watchlist_reader(settings_of(ctx)).read_manifest()
    calibrations = manifest.calibrations if manifest else ()
    rows = [
        (
            calibration.site,
            calibration.camera,
            calibration.reads,
            *(
                f"{moment:{_TIME}}" if moment else "-"
                for moment in (calibration.since, calibration.until, calibration.applied_at)
            ),
            *numbers(None, calibration)[1::2],
        )
        for calibration in calibrations
    ]
    if rows:
        show_rows(_COLUMNS, rows, as_json=as_json)
    else:
        click.echo("no camera is calibrated: each confidence counts as it is", err=True)
