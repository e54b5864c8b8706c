"""`anpr calibration learn`: count the confidences of a site's cameras in its history."""

import os
from contextlib import closing
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final

import click

from anpr.cli import check_site, settings_of
from anpr.cli.calibration.common import NO_INDEX, active_calibrations, by_name, explain_numbers, numbers, show_rows
from anpr.cli.output import json_option
from anpr.cli.progress_line import ProgressLine
from anpr.history.confidence_counts import CameraReads, count_confidences
from anpr.history.stores import open_sightings
from anpr.matching.scoring.confidence_calibration import LEAST_READS
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import InputError
from anpr.runtime.plurals import counted
from anpr.runtime.printable_text import printable
from anpr.runtime.timestamps import to_the_millisecond
from anpr.watchlist import calibration_file
from anpr.watchlist.calibration_file import CalibrationFile
from anpr.watchlist.store.manifest import CameraCalibration

# Live matching comes first on a busy machine.
_NICE: Final = 5


@click.command(name="learn")
@click.option("--site", required=True, help="The site whose history is counted.")
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write the result."
)
@click.option(
    "--days",
    type=click.IntRange(1, 365),
    default=30,
    show_default=True,
    help="How many days back from now reads count.",
)
@json_option
@click.pass_context
def command(ctx: click.Context, *, site: str, out: Path, days: int, as_json: bool) -> None:
    """Learn the calibrations of a site's cameras from its history. Nothing is changed.

    The command counts, in the history on this machine, how many reads of each camera have each confidence. It writes
    the counts to a file for `anpr calibration apply`. It needs no plates, and nobody who says which reads were right.
    A camera with fewer than 1,000 plates that have a confidence gets no calibration, and the table says so. Exit
    code 1: no camera gets one, and no file is written.

    \b
    Examples:
      anpr calibration learn --site calais -o calais.json
      anpr calibration learn --site calais -o calais.json --days 7
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    cameras = [camera.name for camera in settings.sites[site].cameras]
    if not cameras:
        raise InputError("site-without-cameras", f"{site} has no cameras", "name a site that has cameras")
    os.nice(_NICE)
    until = to_the_millisecond(system_clock())
    since = until - timedelta(days=days)
    with closing(open_sightings(settings, site, is_writer=False)) as sightings:
        for oldest in sightings.days()[:1]:  # history may be younger
            since = max(since, datetime.combine(oldest, time(), UTC))
        counts = count_confidences(sightings, since, until, ProgressLine(f"counting the reads of {site}"))
    learned = {
        camera: counts[camera].by_confidence
        for camera in cameras
        if camera in counts and sum(counts[camera].by_confidence) >= LEAST_READS
    }
    file = CalibrationFile(site, since, until, learned)
    active = active_calibrations(settings)
    before = by_name(active or ())
    after = by_name(file.calibrations())
    rows = [
        _row(camera, counts.get(camera, CameraReads()), before.get((site, camera)), after.get((site, camera)))
        for camera in cameras
    ]
    show_rows(rows, as_json=as_json)
    explain_numbers()
    if active is None:
        click.echo(f"what was is not known: {NO_INDEX}, so it is shown as if no camera were calibrated", err=True)
    period = f"reads that arrived from {since:%Y-%m-%d %H:%M} until {until:%Y-%m-%d %H:%M} UTC"
    click.echo(
        f"{period}: {counted(len(learned), 'camera')} of {len(cameras)} learned; "
        f"each needs {LEAST_READS:,} plates of four characters or more with a confidence",
        err=True,
    )
    if unknown := sorted(counts.keys() - set(cameras)):
        names = ", ".join(map(printable, unknown[:10]))
        click.echo(f"left out, because the configuration does not name them: {names}", err=True)
    if not learned:
        click.echo(
            "No file is written. Learn again when the cameras have made more reads, or let older ones count: --days",
            err=True,
        )
        ctx.exit(1)
    calibration_file.write(out, file)
    click.echo(f"Nothing is changed yet. To apply it: anpr calibration apply {out} --why REASON", err=True)


def _row(
    camera: str, reads: CameraReads, before: CameraCalibration | None, learned: CameraCalibration | None
) -> dict[str, object]:
    """Return the row of a camera. One that did not learn keeps the calibration that it has."""
    counts = numbers({"was": before, "is": learned or before})
    return {"camera": camera, "reads": reads.reads} | counts | {"result": _result(reads)}


def _result(reads: CameraReads) -> str:
    with_confidence = sum(reads.by_confidence)
    if with_confidence >= LEAST_READS:
        return "learned"
    return f"too few: {with_confidence:,}"
