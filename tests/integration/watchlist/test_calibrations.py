"""`anpr calibration` as an operator runs it: apply, show, undo. It is part of the generation of the list."""

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from anpr.audit.folders import chain_folders, site_folder
from anpr.audit.record import unseal
from anpr.cli.calibration.common import active_calibrations
from anpr.contracts.local_days import UTC_DAYS
from anpr.history.stores import open_sightings
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.watchlist.store.manifest import CameraCalibration, Manifest
from anpr.watchlist.store.store import Author
from tests.support.audit import lines_in
from tests.support.calibrations import OFTEN_UNSURE, calibration_file
from tests.support.entries import entry, read_line
from tests.support.history import at, read_record, record_all
from tests.support.installation import Installation


@pytest.fixture
def it(tmp_path: Path, redis_url: str) -> Iterator[Installation]:
    """Return an installation with a list in Redis and no broker."""
    with Installation(tmp_path, "127.0.0.1:1", redis_url, suffix="") as one:
        one.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
        yield one


def manifest_of(it: Installation) -> Manifest:
    manifest = it.store.read_manifest()
    assert manifest is not None
    return manifest


def calibrated(it: Installation) -> list[str]:
    return [calibration.camera for calibration in manifest_of(it).calibrations]


def lines(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def apply(it: Installation, *cameras: str, counts: tuple[int, ...] = OFTEN_UNSURE) -> list[dict[str, Any]]:
    file = calibration_file(it.folder / "learned.json", "calais", dict.fromkeys(cameras, counts))
    return lines(it.run("calibration", "apply", str(file), "--why", "often unsure"))


def test_applying_is_a_change_of_the_watchlist_with_a_generation_of_its_own(it: Installation) -> None:
    before = manifest_of(it)
    [shown] = apply(it, "calais-1-front")
    after = manifest_of(it)
    assert after.generation > before.generation
    assert after.lists == before.lists, "no list has changed"
    [calibration] = after.calibrations
    assert (calibration.name, calibration.counts) == (("calais", "calais-1-front"), OFTEN_UNSURE)
    assert (calibration.generation, calibration.applied_at) == (after.generation, after.applied_at)
    assert (shown["camera"], shown["reads"], shown["0.60 was"]) == ("calais-1-front", 10_000, "0.60")
    assert shown["0.60 is"] == lines(it.run("calibration", "show", "--json"))[0]["0.60 is"] == "0.91"
    assert apply(it, "calais-1-front")[0]["0.60 was"] == "0.91", "the second time that is what it counted as"


def test_it_is_in_the_log_and_in_the_audit(it: Installation) -> None:
    apply(it, "calais-1-front", "calais-1-rear")
    it.run("calibration", "remove", "--site", "calais", "--camera", "calais-1-rear", "--why", "replaced")
    removed, applied = lines(it.run("watchlist", "log", "--list", "(calibration)"))
    assert (applied["how"], applied["why"], applied["added"], applied["entries"]) == ("apply", "often unsure", 2, 2)
    assert (removed["how"], removed["why"], removed["removed"], removed["entries"]) == ("remove", "replaced", 1, 1)
    (chain,) = chain_folders(site_folder(it.settings, it.sites[0]))
    events = [unseal(line).record.event for line in lines_in(chain)]
    assert [(event.operation, event.what, event.reason) for event in events] == [
        ("alteration", "calibration change", "often unsure"),
        ("alteration", "calibration change", "replaced"),
    ]
    assert [event.details["cameras"] for event in events] == [
        "calais calais-1-front, calais calais-1-rear",
        "calais calais-1-rear",
    ]
    assert [event.details["command"] for event in events] == ["apply", "remove"]
    assert events[0].details["file_sha256"] == sha256((it.folder / "learned.json").read_bytes()).hexdigest()


def test_a_file_that_can_be_read_only_once_is_recorded_as_it_was(it: Installation) -> None:
    """A shell may hand a pipe over as a file: `anpr calibration apply <(ssh history cat calais.json)`."""
    file = calibration_file(it.folder / "learned.json", "calais", {"calais-1-front": OFTEN_UNSURE})
    os.mkfifo(pipe := it.folder / "pipe")
    with ThreadPoolExecutor() as writing:
        written = writing.submit(pipe.write_bytes, file.read_bytes())
        it.run("calibration", "apply", str(pipe), "--why", "often unsure")
        written.result()
    [applied] = lines(it.run("watchlist", "log", "--list", "(calibration)"))
    assert applied["file_sha256"] == sha256(file.read_bytes()).hexdigest()


def test_every_change_of_a_list_carries_the_calibrations_over(it: Installation) -> None:
    apply(it, "calais-1-front")
    calibrations, store, now, by = manifest_of(it).calibrations, it.store, system_clock(), Author()
    store.apply("wanted", [entry("2", "AB2")], "test", now)
    store.change("stolen", [entry("3", "AB3")], [], why="test", now=now, author=by)
    store.rollback("stolen", None, why="test", now=now, author=by)
    store.expire("stolen", ["1"], now + timedelta(days=100_000 // 4), UTC_DAYS)
    store.compact("stolen", manifest_of(it), now)
    assert manifest_of(it).calibrations == calibrations


def test_removing_takes_the_named_camera_or_all_of_the_site(it: Installation) -> None:
    apply(it, "calais-1-front", "calais-1-rear")
    assert calibrated(it) == ["calais-1-front", "calais-1-rear"]
    it.run("calibration", "remove", "--site", "calais", "--camera", "calais-1-front", "--why", "test")
    assert calibrated(it) == ["calais-1-rear"]
    it.run("calibration", "remove", "--site", "calais", "--why", "test")
    assert calibrated(it) == []
    done = it.run("calibration", "show")
    assert (done.stdout, done.stderr) == (b"", b"no camera is calibrated: each confidence counts as it is\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--camera", "calais-1-rear"), "camera 'calais-1-rear' of 'calais' is not calibrated; nothing was changed"),
        ((), "no camera of 'dunkerque' is calibrated; nothing was changed"),
    ],
)
def test_removing_what_is_not_there_is_refused(it: Installation, options: tuple[str, ...], message: str) -> None:
    apply(it, "calais-1-front")
    before = manifest_of(it)
    site = "calais" if options else "dunkerque"
    done = it.run("calibration", "remove", "--site", site, *options, "--why", "test")
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert "docs/errors.md#calibration-none" in done.stderr.decode()
    assert manifest_of(it) == before


def test_an_empty_redis_is_no_place_for_a_calibration(it: Installation) -> None:
    it.store._redis.flushall()
    file = calibration_file(it.folder / "learned.json", "calais", {"calais-1-front": OFTEN_UNSURE})
    done = it.run("calibration", "apply", str(file), "--why", "test")
    assert done.returncode == 1
    assert "docs/errors.md#watchlist-emptied" in done.stderr.decode()
    assert it.store.read_manifest() is None


def test_two_changes_at_once_are_both_made(it: Installation) -> None:
    """A calibration and a list do not depend on each other: the one that is overtaken is determined again."""
    store, overtaking = it.store, iter([True])
    read = store._transactions._reader.read_manifest

    def read_and_be_overtaken(*, to_change: bool = False) -> Manifest | None:
        manifest = read(to_change=to_change)
        if next(overtaking, False):
            it.run("watchlist", "add", "XY9", "--list", "stolen", "--reason", "x", "--until", "2099-01-01")
        return manifest

    store._transactions._reader.read_manifest = read_and_be_overtaken  # type: ignore[method-assign]
    now = system_clock()
    one = CameraCalibration.of("calais", "calais-1-front", OFTEN_UNSURE, now, now)
    store.calibrate([one], why="test", now=now, author=Author())
    assert calibrated(it) == ["calais-1-front"]
    assert manifest_of(it).lists["stolen"].entries == 2


def test_a_plan_and_a_dry_run_judge_past_reads_by_the_calibrations_that_they_know(it: Installation) -> None:
    """This read matches only where its camera is known to be seldom in doubt. No index is on the machine yet."""
    seldom = tuple({95: 100, 99: 9_900}.get(hundredth, 0) for hundredth in range(101))
    file, reads = it.folder / "list.csv", it.folder / "reads.jsonl"
    file.write_text("plate,country,tolerance,valid_until\nAB12CDE,GB,near,2099-01-01\n", "utf-8")
    read = read_line("1", "calais", "AB12CXE", camera="calais-1-front", country="GB", confidence=0.95)
    reads.write_bytes(read + b"\n")

    def planned_alerts() -> int:
        return int(lines(it.plan(file, "near", "--reads", str(reads)))[0]["cost"]["alerts"])

    def dry_run(*options: str) -> tuple[int, str]:
        done = it.run("dry-run", "--watchlist", str(file), "--reads", str(reads), *options)
        return len(lines(done)), done.stderr.decode().splitlines()[0]

    assert planned_alerts() == 0
    assert dry_run() == (0, "no camera is calibrated: no usable index of the active lists is on this machine")
    learned = calibration_file(it.folder / "learned.json", "calais", {"calais-1-front": seldom})
    alerts, said = dry_run("--calibration", str(learned))
    assert (alerts, said) == (
        1,
        "calibrated: 1 camera as in the file, no usable index of the active lists is on this machine",
    )
    apply(it, "calais-1-front", counts=seldom)
    assert planned_alerts() == 1


@pytest.mark.parametrize(
    ("in_force", "in_the_file", "said"),
    [
        ((), (), ""),
        (("calais-1-front",), (), "calibrated: 1 camera as in the index of this machine\n"),
        ((), ("calais-1-front",), "calibrated: 1 camera as in the file\n"),
        (("calais-1-front",), ("calais-1-front",), "calibrated: 1 camera as in the file\n"),
        (
            ("calais-1-front", "calais-1-rear"),
            ("calais-1-front",),
            "calibrated: 1 camera as in the file, 1 camera as in the index of this machine\n",
        ),
    ],
)
def test_a_dry_run_says_which_cameras_are_calibrated(
    it: Installation, in_force: tuple[str, ...], in_the_file: tuple[str, ...], said: str
) -> None:
    """Each camera is counted once: the file stands for what is in force."""
    if in_force:
        apply(it, *in_force)
    it.start_builder()
    assert wait_until(lambda: active_calibrations(it.settings) == manifest_of(it).calibrations, 60)
    (it.folder / "list.csv").write_text("plate,valid_until\nAB12CDE,2099-01-01\n", "utf-8")
    (it.folder / "reads.jsonl").write_bytes(read_line("1", "calais", "AB12CDE") + b"\n")
    options = ["--watchlist", str(it.folder / "list.csv"), "--reads", str(it.folder / "reads.jsonl")]
    if in_the_file:
        file = calibration_file(it.folder / "tried.json", "calais", dict.fromkeys(in_the_file, OFTEN_UNSURE))
        options += ["--calibration", str(file)]
    assert it.run("dry-run", *options).stderr.decode().startswith(f"{said}1 read matched")


@pytest.mark.parametrize(
    ("camera", "code", "said"),
    [
        (
            "calais-1-front",
            0,
            "calais-1-front is not calibrated, so its confidence counts as it is; no usable index",
        ),
        ("calais-1-frnt", 2, "the configuration has no such camera at calais; the nearest name is 'calais-1-front'"),
    ],
)
def test_an_explanation_says_when_there_is_no_calibration_or_no_such_camera(
    it: Installation, camera: str, code: int, said: str
) -> None:
    done = it.run("explain", "AB12CDE", "AB12CDE", "--confidence", "0.6", "--site", "calais", "--camera", camera)
    assert said in done.stderr.decode()
    assert done.returncode == code


def test_nothing_is_learned_without_a_history_or_at_an_unknown_site(it: Installation) -> None:
    out = str(it.folder / "learned.json")
    done = it.run("calibration", "learn", "--site", "calais", "--out", out)
    assert "docs/errors.md#history-no-store" in done.stderr.decode()
    done = it.run("calibration", "learn", "--site", "calas", "--out", out)
    assert "docs/errors.md#site-unknown" in done.stderr.decode()


def test_it_says_when_no_camera_has_enough_reads_and_when_it_does_not_know_what_is_in_force(it: Installation) -> None:
    open_sightings(it.settings, "calais", is_writer=True).close()
    out = it.folder / "learned.json"
    done = it.run("calibration", "learn", "--site", "calais", "--out", str(out))
    assert done.returncode == 1
    assert {json.loads(line)["result"] for line in done.stdout.splitlines()} == {"too few: 0"}
    *_, unknown, period, what_next = done.stderr.decode().splitlines()
    assert unknown == (
        "what was is not known: no usable index of the active lists is on this machine, "
        "so it is shown as if no camera were calibrated"
    )
    assert "0 cameras of " in period
    assert what_next.startswith("No file is written. Learn again when the cameras have made more reads")
    assert not out.exists()


def test_a_camera_that_the_configuration_does_not_name_is_named_without_its_control_characters(
    it: Installation,
) -> None:
    """A read may name any camera, and a terminal obeys control characters."""
    store = open_sightings(it.settings, "calais", is_writer=True)
    a_minute_ago = (system_clock() - at(0)).total_seconds() - 60
    record_all(store, read_record(0, a_minute_ago, camera="\x1b[2Jcalais-9\nfront"))
    store.close()
    done = it.run("calibration", "learn", "--site", "calais", "--out", str(it.folder / "out.json"))
    said = [line for line in done.stderr.decode().splitlines() if line.startswith("left out")]
    assert said == ["left out, because the configuration does not name them: \ufffd[2Jcalais-9\ufffdfront"]
