"""A calibration file with anything wrong is refused by file, field, value and reason, with a next step."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from anpr.runtime.errors import InputError
from anpr.runtime.settings import Camera, Site
from anpr.watchlist import calibration_file
from anpr.watchlist.calibration_file import CalibrationFile
from tests.support.calibrations import OFTEN_UNSURE
from tests.support.strategies import minutes

SITES = {"calais": Site("Calais", "k", "r", (Camera("calais-1-front", "1", "front"),))}
GOOD: dict[str, Any] = {
    "site": "calais",
    "since": "2026-01-01T00:00:00Z",
    "until": "2026-01-31T00:00:00Z",
    "cameras": {"calais-1-front": list(OFTEN_UNSURE)},
}


def of_front(*counts: float) -> dict[str, Any]:
    return {"cameras": {"calais-1-front": counts}}


def refusal(path: Path, content: str) -> str:
    path.write_text(content, "utf-8")
    with pytest.raises(InputError) as raised:
        calibration_file.read(path, SITES)
    assert raised.value.code == "calibration-file"
    assert raised.value.next_step == "learn it again with `anpr calibration learn`"
    return str(raised.value).removeprefix(f"{path}: ")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "learned.json"
    calibration_file.write(path, CalibrationFile("calais", minutes(0), minutes(9), {"calais-1-front": OFTEN_UNSURE}))
    [calibration], digest = calibration_file.read(path, SITES)
    assert digest == sha256(path.read_bytes()).hexdigest()
    assert (calibration.name, calibration.counts) == (("calais", "calais-1-front"), OFTEN_UNSURE)
    assert (calibration.since, calibration.until, calibration.reads) == (minutes(0), minutes(9), 10_000)


def test_times_with_an_offset_are_the_same_moments_in_utc(tmp_path: Path) -> None:
    """All that shows them says that they are UTC."""
    path = tmp_path / "learned.json"
    period = {"since": "2026-01-01T05:00:00+05:00", "until": "9999-12-31T23:59:59-01:00"}
    path.write_text(json.dumps(GOOD | period), "utf-8")
    [calibration] = calibration_file.read(path, SITES).calibrations
    assert f"{calibration.since:%Y-%m-%d %H:%M %Z}" == "2026-01-01 00:00 UTC"
    assert f"{calibration.until:%Y %Z}" == "9999 UTC"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"site": "calias"}, "site: 'calias': it is none of the sites calais"),
        ({"site": 7}, "site: 7: Expected `str`, got `int`"),
        ({"since": "yesterday"}, "since: 'yesterday': Invalid RFC3339 encoded datetime"),
        ({"since": "2026-01-01T00:00:00"}, "since: '2026-01-01T00:00:00': Expected `datetime` with a timezone"),
        ({"until": "2025-12-31T00:00:00Z"}, "until: '2025-12-31T00:00:00Z': it must be later than `since`"),
        ({"cameras": {}}, "cameras: {}: it must name a camera"),
        ({"cameras": {"calais-1-frnt": []}}, "cameras: 'calais-1-frnt': the configuration has no such camera at"),
        ({"cameras": {"calais-1-front": [1, 2]}}, "cameras 'calais-1-front': [1, 2]: it must be 101 counts"),
        ({"cameras": {"calais-1-front": {"0.9": 7}}}, "cameras 'calais-1-front': {'0.9': 7}: it must be 101 counts"),
        (of_front(-1, *[100] * 100), "cameras 'calais-1-front', confidence 0.0: -1: it must be a whole number, 0 or"),
        (of_front(*[100] * 100, 0.5), "cameras 'calais-1-front', confidence 1.0: 0.5: it must be a whole number"),
        (of_front(*[9] * 101), "cameras 'calais-1-front', all its reads: 909: it must be 1,000 to 1,000,000,000"),
        (of_front(*[10**7] * 101), "cameras 'calais-1-front', all its reads: 1010000000: it must be 1,000 to"),
        ({"reads": 7}, "Object contains unknown field `reads`"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    assert refusal(tmp_path / "bad.json", json.dumps(GOOD | changed)).startswith(reason)


@pytest.mark.parametrize(
    "content", ["", "no", "[" * 100_000, '{"site": "\ud800"}'.encode("utf-8", "replace").decode()]
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: str) -> None:
    assert refusal(tmp_path / "bad.json", content)


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        calibration_file.read(tmp_path / "none.json", SITES)
    with pytest.raises(InputError, match="it is not a file") as raised:
        calibration_file.write(tmp_path, CalibrationFile("calais", minutes(0), minutes(1), {}))
    assert raised.value.code == "calibration-unwritable"
