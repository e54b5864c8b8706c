"""Checks that each calibrated camera still gives its confidences as often as when its calibration was learned.

A calibration says what a doubt is worth by how seldom it is. When the camera or its engine is replaced, that is no
longer so, and nothing else shows it: alerts are missing, or there are more false ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Final

from anpr.doctor.findings import Check, Finding, note, well, wrong
from anpr.doctor.list_checks import ask_redis
from anpr.history.confidence_counts import CameraReads, Difference, count_some, largest_difference
from anpr.history.database import NoStoreError
from anpr.history.stores import open_sightings
from anpr.runtime.clock import Clock
from anpr.runtime.errors import AnprError
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings
from anpr.watchlist.store.manifest import CameraCalibration

# The share of reads by which two counts may differ. Between the two measured engines it is 0.77; between all reads of
# one and its tenth in the worst pictures, 0.12.
LIMIT: Final = 0.2
# Chance alone crosses the limit in less than one of ten million cases: a calibration has 1,000 reads at least.
LEAST_READS: Final = 300
_KIND: Final = "calibration"
# A day and a night: cameras are less sure in the dark.
_PERIOD: Final = timedelta(hours=24)
# So many are read and counted in half a second of one processor, and a hundred cameras have enough of them.
_MOST_READS: Final = 30_000
# The others are only named.
_SHOWN: Final = 5


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return the checks: one for each site that may have a history here."""
    return [(_KIND, site, partial(check, settings, site, clock)) for site in settings.sites_to_ask]


def check(settings: Settings, site: str, clock: Clock) -> Iterable[Finding]:
    """Compare what a site's cameras were calibrated by with their reads of the last day."""
    answer = ask_redis(settings.sites[site].redis)
    manifest = answer.manifest if answer else None
    calibrations = [one for one in (manifest.calibrations if manifest else ()) if one.site == site]
    if not calibrations:
        return
    not_compared = f"{counted(len(calibrations), 'calibrated camera')} not compared"
    try:
        with closing(open_sightings(settings, site, is_writer=False)) as sightings:
            counts = count_some(sightings, clock() - _PERIOD, _MOST_READS)
    except NoStoreError:
        message = f"{not_compared}: no history of the site is here"
        yield note(_KIND, site, message, "run `anpr doctor` on the machine that holds its history")
        return
    except AnprError as error:
        yield note(_KIND, site, f"{not_compared}: the history cannot be read: {error}", error.next_step)
        return
    yield from judge(site, calibrations, counts)


def judge(
    site: str, calibrations: Sequence[CameraCalibration], counts: Mapping[str, CameraReads]
) -> Iterable[Finding]:
    """Report which cameras differ from their calibrations, and which have made too few reads to say so."""
    lately = {one.name: counts.get(one.camera, CameraReads()).by_confidence for one in calibrations}
    compared = [one for one in calibrations if sum(lately[one.name]) >= LEAST_READS]
    differences = [(one, largest_difference(one.counts, lately[one.name])) for one in compared]
    stale = sorted(
        (found for found in differences if found[1].size > LIMIT), key=lambda found: found[1].size, reverse=True
    )
    for one, difference in stale[:_SHOWN]:
        message = _stale(one, difference, sum(lately[one.name]))
        yield wrong(_KIND, site, message, _next_step(one), code="calibration-stale")
    if others := [one.camera for one, _ in stale[_SHOWN:]]:
        message = f"more cameras that differ from their calibrations: {', '.join(others)}"
        yield wrong(_KIND, site, message, "do the same for each of them")
    if compared and not stale:
        largest = max(difference.size for _, difference in differences)
        message = (
            f"{counted(len(compared), 'calibrated camera')}: confidences come as often as when they were learned, "
            f"largest difference {_points(largest)}, limit {_points(LIMIT)}"
        )
        yield well(_KIND, site, message)
    if too_few := [one.camera for one in calibrations if one not in compared]:
        looked_at = sum(camera.reads for camera in counts.values())
        message = (
            f"not compared: {', '.join(too_few)}: fewer than {LEAST_READS} plates with a confidence among "
            f"{counted(looked_at, 'read')} of the last 24 hours"
        )
        yield note(_KIND, site, message, "nothing, if few vehicles pass there; otherwise look at the camera")


def _stale(calibration: CameraCalibration, difference: Difference, plates: int) -> str:
    if difference.later < difference.earlier:
        effect = "Its doubts count for too little: near alerts may be missing"
    else:
        effect = "Its doubts count for too much: more near alerts are false"
    applied = f"Counts since {calibration.applied_at:%Y-%m-%d %H:%M} UTC, " if calibration.applied_at else ""
    learned = f"learned from reads of {calibration.since:%Y-%m-%d} to {calibration.until:%Y-%m-%d}"
    return (
        f"{calibration.camera} is not as it was calibrated: {_percent(difference.later)} of "
        f"{counted(plates, 'plate')} of the last 24 hours have a confidence of {difference.confidence:.2f} or less, "
        f"but {_percent(difference.earlier)} of the {calibration.reads:,} it was learned from: "
        f"{_points(difference.size)} apart, limit {_points(LIMIT)}. {effect}. {applied}{learned}"
    )


def _next_step(calibration: CameraCalibration) -> str:
    return (
        f"if the camera, its software or its place has changed: `anpr calibration remove --site {calibration.site} "
        f"--camera {calibration.camera} --why REASON` now; after 1,000 plates, `anpr calibration learn` with --days "
        "since the change, then `apply`. If nothing has changed, look at its pictures"
    )


def _points(share: float) -> str:
    return f"{100 * share:.0f} points"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
