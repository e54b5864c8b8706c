"""On real servers: a camera's calibration is learned from its history, applied, and used live and offline alike."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from anpr.contracts import topics
from anpr.contracts.events import Alert
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from anpr.watchlist.store.store import Author
from tests.support.entries import entry, read_line
from tests.support.installation import Installation

NOTE = "the camera says 0.60, which counts as 0.91 for this camera"


def reads_of(site: str, number: int, plates: list[str]) -> list[bytes]:
    """Return reads of the front camera, of plates that are no entry's, all unsure."""
    fields: dict[str, Any] = {"camera": f"{site}-1-front", "country": "GB", "confidence": 0.6}
    return [read_line(f"{number}-{plate}", site, plate, **fields) for plate in plates]


def usual_reads(site: str) -> list[bytes]:
    """Return a thousand reads of the front camera: of four in ten it is unsure. The rear one has made a few."""
    front = [
        read_line(f"usual-{number}", site, f"MN{number % 100:02}PQR", camera=f"{site}-1-front", confidence=confidence)
        for number in range(1_000)
        for confidence in [0.6 if number % 5 < 2 else 0.95]
    ]
    rear = {"camera": f"{site}-1-rear", "confidence": 0.6}
    return [*front, *(read_line(f"rear-{number}", site, "MN10PQR", **rear) for number in range(9))]


def publish(it: Installation, site: str, lines: list[bytes]) -> None:
    producer = KafkaProducer(it.kafka)
    for line in lines:
        producer.produce(topics.reads(site), json.loads(line)["camera"], line)
    assert wait_until(lambda: producer.flush(1) == 0, 60)


def judged(alerts: list[Alert]) -> dict[str, tuple[str, float, bool]]:
    """Return by read its kind, its score, and whether it says that a calibration changed the confidence."""
    return {a.read.read_id: (a.kind, a.score, a.explanation.calibration == NOTE) for a in alerts}


def dry_run(it: Installation, lines: list[bytes], *options: str) -> dict[str, tuple[str, float, bool]]:
    file = it.folder / "list.csv"
    file.write_text(
        "entry_id,plate,country,tolerance,valid_until\n1,AB12CDE,GB,near,2099-01-01\n2,KL34XYZ,GB,near,2099-01-01\n",
        "utf-8",
    )
    arguments = ("--watchlist", str(file), "--list", "stolen", "--reads", "-", *options)
    done = it.run("dry-run", *arguments, input=b"\n".join(lines))
    assert done.returncode == 0, done.stderr.decode()
    return judged([msgspec.json.decode(line, type=Alert) for line in done.stdout.splitlines()])


def learn(it: Installation, site: str, reads: dict[str, int]) -> tuple[Path, dict[str, dict[str, Any]]]:
    """Learn as soon as history has so many reads of each camera; return the file, and the row of each camera."""
    file, rows = it.folder / "learned.json", dict[str, dict[str, Any]]()

    def is_learned() -> bool:
        done = it.run("calibration", "learn", "--site", site, "-o", str(file))
        rows.update({(row := json.loads(line))["camera"]: row for line in done.stdout.splitlines()})
        return done.returncode == 0 and {camera: row["reads"] for camera, row in rows.items()} == reads

    assert wait_until(is_learned, 300)
    return file, rows


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_calibration_is_used_by_live_matching_dry_run_and_back_check_alike(
    installation: Installation, kind: str, request: pytest.FixtureRequest
) -> None:
    it, site = installation, installation.sites[0]
    if kind == "postgresql":
        it.environment["ANPR_HISTORY__URL"] = request.getfixturevalue("postgresql_url")
    near = entry("1", "AB12CDE", country="GB", tolerance="near")
    it.store.apply("stolen", [near], "test", system_clock())
    it.start("history", "history", "--site", site)
    it.start_matcher(site, "matcher")
    before = reads_of(site, 1, ["AB12CDG", "AB12CDF", "KL34XYG"])
    publish(it, site, [*usual_reads(site), *before])
    it.wait_until_matched(1_012, site)
    first = judged(it.alerts([site]))
    assert first == {"1-AB12CDG": ("live", 0.1811, False), "1-AB12CDF": ("live", 0.5504, False)}

    file, rows = learn(it, site, {f"{site}-1-front": 1_003, f"{site}-1-rear": 9})
    assert rows[f"{site}-1-front"]["result"] == "learned"
    assert rows[f"{site}-1-rear"]["result"] == "too few: 9"
    yesterday = system_clock() - timedelta(days=1)  # a midnight may have passed
    assert json.loads(file.read_bytes())["since"] > yesterday.isoformat()[:10], "history has no older day"
    tried = dry_run(it, before, "--calibration", str(file))
    assert judged(it.alerts([site])) == first, "nothing has changed yet"

    done = it.run("calibration", "apply", str(file), "--why", "often unsure")
    assert done.returncode == 0, done.stderr.decode()
    manifest = it.store.read_manifest()
    assert manifest is not None
    log = it.folder / "matcher.log"
    assert wait_until(lambda: str(manifest.generation) in log.read_text("utf-8"), 300)

    after = reads_of(site, 2, ["AB12CDG", "AB12CDF"])
    publish(it, site, after)
    it.wait_until_matched(1_014, site)
    live = judged(it.alerts([site]))
    assert {name: live[name] for name in first} == first, "what was published stays"
    offline = dry_run(it, [*before, *after])
    assert {name: live[name] for name in ("2-AB12CDG", "2-AB12CDF")} == {
        name: offline[name] for name in ("2-AB12CDG", "2-AB12CDF")
    }
    assert {name: offline[name] for name in tried} == tried, "it does what the dry run with the file said"
    kind, score, is_noted = live["2-AB12CDG"]
    assert (kind, is_noted) == ("live", True)
    assert score < first["1-AB12CDG"][1] / 2

    new = entry("2", "KL34XYZ", country="GB", tolerance="near")
    it.store.change("stolen", [new], [], why="test", now=system_clock(), author=Author())
    # Not before: at its start it looks for every entry, and may find a read before the matcher does.
    it.start("back-check", "back-check", "--site", site)
    assert wait_until(lambda: "1-KL34XYG" in judged(it.alerts([site])), 300)
    found = judged(it.alerts([site]))["1-KL34XYG"]
    assert found == dry_run(it, before, "--back-check")["1-KL34XYG"]
    assert found[0] == "retrospective"
    assert found[2], "the back-check says so too"

    explained = it.run(
        "explain", "AB12CDG", "AB12CDE", "--country", "GB", "--listed-country", "GB", "--confidence", "0.6",
        "--entries", "2", "--site", site, "--camera", f"{site}-1-front",
    ).stdout.decode()  # fmt: skip
    assert NOTE in explained
    assert f"score {score:.4f}" in explained
