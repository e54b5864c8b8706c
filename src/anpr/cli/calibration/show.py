"""`anpr calibration show`: the calibrated cameras."""

import click

from anpr.cli import settings_of
from anpr.cli.calibration.common import numbers, show_rows
from anpr.cli.output import json_option
from anpr.runtime.plurals import counted
from anpr.watchlist.store.home import watchlist_reader

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
        {"site": one.site, "camera": one.camera}
        | numbers({"is": one})
        | {
            "applied at": f"{one.applied_at:{_TIME}}" if one.applied_at else "-",
            "learned from": f"{counted(one.reads, 'read')} from {one.since:{_TIME}} until {one.until:{_TIME}}",
            "reads": one.reads,
            "since": one.since,
            "until": one.until,
            "generation": str(one.generation),
        }
        for one in calibrations
    ]
    if rows:
        show_rows(rows, "learned from", wrapped="learned from", as_json=as_json)
    else:
        click.echo("no camera is calibrated: each confidence counts as it is", err=True)
