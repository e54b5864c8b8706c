"""`anpr calibration`: one file per subcommand, imported only when it is used."""

import click

from anpr.cli.lazy import LazyGroup

_COMMANDS = {
    "learn": "Learn the calibrations of a site's cameras from its history.",
    "apply": "Calibrate the cameras in FILE from now on.",
    "show": "Show the calibrated cameras, and what their confidences count as.",
    "remove": "Remove the calibration of a site's cameras.",
}


@click.group(name="calibration", cls=LazyGroup, package=__name__, subcommands=_COMMANDS)
def command() -> None:
    """Learn, apply, view and remove calibrations of cameras.

    Cameras differ in what they call a confidence of 0.9. Once a camera is calibrated, its confidence counts by how
    seldom the camera gives it. So a score means the same for each camera. A calibration finds no more vehicles. Try
    it with `anpr dry-run --calibration` before you apply it.
    """
