"""`anpr calibration`: one file per subcommand, imported only when it is used."""

import click

from anpr.cli.lazy import LazyGroup

_COMMANDS = {
    "learn": "Learn the calibrations of a site's cameras from its history.",
    "apply": "Calibrate the cameras in FILE from now on.",
    "show": "Show the calibrated cameras, and what their confidences count as.",
    "remove": "Calibrate cameras of a site no more.",
}


@click.group(name="calibration", cls=LazyGroup, package=__name__, subcommands=_COMMANDS)
def command() -> None:
    """Learn, apply, view and remove the confidence calibration of cameras.

    Engines differ in what they call 0.9. The confidence of a calibrated camera counts by how seldom the camera gives
    it, so that a score means the same of each camera. It finds no more vehicles. Try a calibration with
    `anpr dry-run --calibration` before you apply it.
    """
