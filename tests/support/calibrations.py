"""Calibrations for tests."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

# Of ten thousand reads: a camera that calls four in ten of its reads 0.6, and is sure of the others.
OFTEN_UNSURE: Final = tuple({60: 4_000, 95: 6_000}.get(hundredth, 0) for hundredth in range(101))


def calibration_file(path: Path, site: str, cameras: Mapping[str, Sequence[int]]) -> Path:
    """Write what `anpr calibration learn` writes."""
    period = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-31T00:00:00Z"}
    path.write_text(json.dumps({"site": site, "cameras": cameras} | period), "utf-8")
    return path
