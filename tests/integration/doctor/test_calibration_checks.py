"""The doctor says when a calibrated camera no longer gives its confidences as its calibration says."""

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from anpr.doctor.calibration_checks import LEAST_READS, check, judge
from anpr.doctor.findings import Finding
from anpr.history.confidence_counts import CameraReads
from anpr.history.stores import open_sightings
from anpr.runtime.clock import system_clock
from anpr.runtime.settings_files import load_settings
from anpr.watchlist.store.manifest import CameraCalibration
from tests.support.calibrations import OFTEN_UNSURE, calibration_file
from tests.support.entries import entry
from tests.support.history import at, read_record, record_all
from tests.support.installation import Installation
from tests.support.strategies import NOON

# PostgreSQL is shared, and its schemas have the name of the site.
SUFFIX = f"-{uuid.uuid4().hex[:8]}"
SITE = f"calais{SUFFIX}"
CAMERA, OTHER = f"{SITE}-1-front", f"{SITE}-1-rear"
# An engine that is hardly ever unsure: of a hundred reads it calls three 0.6, and is sure of the others.
SELDOM_UNSURE = (*[0.6] * 3, *[0.95] * 97)
AS_LEARNED = (*[0.6] * 40, *[0.95] * 60)


@pytest.fixture
def it(tmp_path: Path, redis_url: str) -> Iterator[Installation]:
    """Return an installation with a list in Redis and no broker."""
    with Installation(tmp_path, "127.0.0.1:1", redis_url, suffix=SUFFIX) as one:
        one.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
        yield one


def apply(it: Installation, *cameras: str) -> None:
    file = calibration_file(it.folder / "learned.json", SITE, dict.fromkeys(cameras, OFTEN_UNSURE))
    assert it.run("calibration", "apply", str(file), "--why", "often unsure").returncode == 0


def stored(it: Installation, camera: str, hundred: tuple[float, ...], reads: int, partition: int = 0) -> None:
    """Let the history have reads of the last hours."""
    store = open_sightings(it.settings, SITE)
    newest = (system_clock() - at(0)).total_seconds() - 60
    record_all(
        store,
        *(
            read_record(
                n,
                newest - 10 * (reads - n),
                partition=partition,
                site=SITE,
                camera=camera,
                confidence=hundred[n % 100],
            )
            for n in range(reads)
        ),
        site=SITE,
    )
    store.close()


def findings(it: Installation) -> list[Finding]:
    return list(check(it.settings, SITE, system_clock))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_camera_whose_engine_was_replaced_is_wrong_with_what_to_do(
    it: Installation, kind: str, request: pytest.FixtureRequest
) -> None:
    if kind == "postgresql":
        it.environment["ANPR_HISTORY__URL"] = request.getfixturevalue("postgresql_url")
        it.settings = load_settings(it.config, it.environment)
    assert findings(it) == [], "no camera is calibrated"
    apply(it, CAMERA, OTHER)
    stored(it, CAMERA, SELDOM_UNSURE, 1_000)
    stored(it, OTHER, AS_LEARNED, 1_000, partition=1)
    lines = map(json.loads, it.run("doctor", "--json").stdout.splitlines())
    [found] = [line for line in lines if line["check"] == "calibration"]
    assert (found["on"], found["state"], found["code"]) == (SITE, "wrong", "calibration-stale")
    assert found["says"].startswith(
        f"{CAMERA} is not as it was calibrated: 3 % of 1,000 plates of the last 24 hours have a confidence of 0.60 "
        "or less, but 40 % of the 10,000 it was learned from: 37 points apart, limit 20 points. "
        "Its doubts count for too little: near alerts may be missing. Counts since "
    )
    assert f"`anpr calibration remove --site {SITE} --camera {CAMERA} --why REASON`" in found["next_step"]
    it.run("calibration", "remove", "--site", SITE, "--camera", CAMERA, "--why", "it has a new engine")
    [found] = findings(it)
    assert found.state == "well"
    assert found.message == (
        "1 calibrated camera: confidences come as often as when they were learned, largest difference 0 points, "
        "limit 20 points"
    )


def test_where_it_cannot_be_compared_it_says_so(it: Installation) -> None:
    apply(it, CAMERA, OTHER)
    [found] = findings(it)
    assert (found.state, found.message) == (
        "note",
        "2 calibrated cameras not compared: no history of the site is here",
    )
    stored(it, CAMERA, SELDOM_UNSURE, LEAST_READS - 1)
    [found] = findings(it)
    assert found.state == "note"
    assert found.message == (
        f"not compared: {CAMERA}, {OTHER}: fewer than {LEAST_READS} plates with a confidence among "
        f"{LEAST_READS - 1} reads of the last 24 hours"
    )
    [day, *_] = (it.settings.history_dir / SITE / "sightings").glob("*.sqlite")
    day.write_bytes(b"no database at all" * 300)
    [found] = findings(it)
    assert found.state == "note"
    assert "the history cannot be read" in found.message


def judged(*shares_of_doubts: float) -> list[Finding]:
    """Return what is said of cameras that were learned to be unsure of four in ten reads."""
    since = NOON - timedelta(days=30)
    learned = [CameraCalibration.of(SITE, f"c{n}", OFTEN_UNSURE, since, NOON) for n in range(len(shares_of_doubts))]
    counts = {f"c{n}": CameraReads() for n in range(len(shares_of_doubts))}
    for reads, doubts in zip(counts.values(), shares_of_doubts, strict=True):
        reads.by_confidence[60], reads.by_confidence[95] = round(1_000 * doubts), round(1_000 * (1 - doubts))
    return list(judge(SITE, learned, counts))


def test_a_camera_that_is_more_often_unsure_than_it_was_has_more_false_alerts() -> None:
    [found] = judged(0.7)
    assert found.state == "wrong"
    assert "count for too much: more near alerts are false" in found.message


def test_a_night_of_rain_is_no_other_engine() -> None:
    assert [found.state for found in judged(0.52)] == ["well"]


def test_of_many_cameras_the_worst_are_explained_and_the_others_named() -> None:
    *worst, others = judged(*(0.01 * n for n in range(8)))
    assert [found.message.split()[0] for found in worst] == ["c0", "c1", "c2", "c3", "c4"]
    assert others.message == "more cameras that differ from their calibrations: c5, c6, c7"
