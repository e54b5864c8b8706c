"""`anpr calibration apply`: apply learned calibrations."""

from pathlib import Path

import click

from anpr.cli import settings_of
from anpr.cli.calibration.common import by_name, explain_numbers, numbers, report_calibrated, show_rows, why_option
from anpr.cli.files import FILE_PATH
from anpr.cli.output import json_option
from anpr.cli.watchlist.change_audit import audited_calibration
from anpr.cli.watchlist.common import author
from anpr.runtime.clock import system_clock
from anpr.watchlist import calibration_file
from anpr.watchlist.store.home import home_store


@click.command(name="apply")
@click.argument("file", type=FILE_PATH)
@why_option
@json_option
@click.pass_context
def command(ctx: click.Context, file: Path, why: str, *, as_json: bool) -> None:
    """Calibrate the cameras in FILE from now on.

    FILE comes from `anpr calibration learn`. An earlier calibration of a camera is replaced. This is a change of the
    watchlist: it makes a new generation, and is in the log and in the audit. From then on all matchers, back-checks
    and dry runs use the calibrations.

    \b
    Example:
      anpr calibration apply calais.json --why "the new cameras are often unsure"
    """
    settings = settings_of(ctx)
    calibrations, digest = calibration_file.read(file, settings.sites)
    store, by = home_store(settings), author("apply", digest)
    manifest = store.read_manifest()
    before = by_name(manifest.calibrations if manifest else ())
    with audited_calibration(settings, [calibration.name for calibration in calibrations], why, by):
        applied = store.calibrate(calibrations, why=why, now=system_clock(), author=by)
    rows = [
        {"site": one.site, "camera": one.camera, "reads": one.reads}
        | numbers({"was": before.get(one.name), "is": one})
        for one in calibrations
    ]
    show_rows(rows, as_json=as_json)
    explain_numbers()
    report_calibrated(applied)
