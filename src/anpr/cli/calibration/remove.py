"""`anpr calibration remove`: remove the calibration of cameras."""

import click

from anpr.cli import settings_of
from anpr.cli.calibration.common import report_calibrated, why_option
from anpr.cli.watchlist.change_audit import audited_calibration
from anpr.cli.watchlist.common import author
from anpr.runtime.clock import system_clock
from anpr.watchlist.store.home import home_store


@click.command(name="remove")
@click.option("--site", required=True, help="The site of the cameras.")
@click.option("--camera", "cameras", multiple=True, help="A camera; may be given again.  [default: all of the site]")
@why_option
@click.pass_context
def command(ctx: click.Context, site: str, cameras: tuple[str, ...], why: str) -> None:
    """Remove the calibration of a site's cameras.

    From then on their confidences count as the cameras give them. This is a change of the watchlist, like
    `anpr calibration apply`. To return to an earlier calibration, apply its file again.

    \b
    Examples:
      anpr calibration remove --site calais --camera calais-uk-1-front --why "the camera was replaced"
      anpr calibration remove --site calais --why "too few near matches came to review"
    """
    settings = settings_of(ctx)
    store, by = home_store(settings), author("remove")
    with audited_calibration(settings, [(site, camera) for camera in cameras or ("",)], why, by):
        applied = store.remove_calibrations(site, cameras, why=why, now=system_clock(), author=by)
    report_calibrated(applied)
