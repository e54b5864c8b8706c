"""A learned calibration on disk, between `anpr calibration learn` and `apply`. It holds no plates."""

from collections.abc import Mapping
from datetime import datetime
from errno import EEXIST
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from anpr.contracts.moments import in_utc
from anpr.matching.scoring.confidence_calibration import BINS, LEAST_READS, MOST_READS
from anpr.runtime.atomic_file import write_atomically
from anpr.runtime.camera_names import unknown_camera
from anpr.runtime.errors import InputError
from anpr.runtime.settings import Site
from anpr.watchlist.store.manifest import CameraCalibration

_LEARN = "learn it again with `anpr calibration learn`"
_LONGEST_VALUE = 40
_Moment = Annotated[datetime, Meta(tz=True)]


class CalibrationFile(Struct, frozen=True, forbid_unknown_fields=True):
    """How many reads of each camera of a site had each confidence, in hundredths from 0 to 1, in a period."""

    site: str
    since: _Moment
    until: _Moment
    cameras: dict[str, Any]

    def calibrations(self) -> list[CameraCalibration]:
        """Return the calibrations, which no generation has applied yet."""
        return [
            CameraCalibration.of(self.site, camera, counts, in_utc(self.since), in_utc(self.until))
            for camera, counts in sorted(self.cameras.items())
        ]


class CheckedFile(NamedTuple):
    """The calibrations in a file, and the digest of the file."""

    calibrations: list[CameraCalibration]
    sha256: str


def write(path: Path, file: CalibrationFile) -> None:
    """Write the file to `path`, replacing a file. Raises InputError: then an earlier file is still there."""
    try:
        if path.exists() and not path.is_file():  # root could replace a device by a file
            raise FileExistsError(EEXIST, "it is not a file")
        write_atomically(path, msgspec.json.encode(file) + b"\n")
    except OSError as error:
        raise InputError(
            "calibration-unwritable",
            f"{path}: {error.strerror or error}",
            "name an existing folder that you may write to, on a disk with free space",
        ) from None


def read(path: Path, sites: Mapping[str, Site]) -> CheckedFile:
    """Return the calibrations in a file, of cameras of these sites. Raises InputError."""
    try:
        raw = path.read_bytes()  # once: it may be a pipe
        content = msgspec.json.decode(raw)
    except OSError as error:
        raise InputError("calibration-file", f"{path}: {error.strerror or error}", _LEARN) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError("calibration-file", f"{path}: not JSON: {error}", _LEARN) from None
    try:
        file = msgspec.convert(content, CalibrationFile)
    except msgspec.ValidationError as error:
        reason, _, field = str(error).partition(" - at `$.")
        field = field.rstrip("`")
        raise _refusal(path, field, content[field] if field else None, reason) from None
    if file.site not in sites:
        raise _refusal(path, "site", file.site, f"it is none of the sites {', '.join(sites)}")
    if file.since >= file.until:
        raise _refusal(path, "until", content["until"], "it must be later than `since`")
    if not file.cameras:
        raise _refusal(path, "cameras", file.cameras, "it must name a camera")
    for name, counts in file.cameras.items():
        if reason := unknown_camera(name, file.site, sites):
            raise _refusal(path, "cameras", name, reason)
        _check_counts(path, f"cameras {name!r}", counts)
    return CheckedFile(file.calibrations(), sha256(raw).hexdigest())


def _check_counts(path: Path, field: str, counts: object) -> None:
    if not isinstance(counts, list) or len(counts) != BINS:
        raise _refusal(path, field, counts, f"it must be {BINS} counts, for the confidences 0, 0.01 and so on to 1")
    for hundredth, count in enumerate(counts):
        if type(count) is not int or count < 0:
            confidence = hundredth / (BINS - 1)
            raise _refusal(path, f"{field}, confidence {confidence}", count, "it must be a whole number, 0 or more")
    if not LEAST_READS <= sum(counts) <= MOST_READS:
        raise _refusal(path, f"{field}, all its reads", sum(counts), f"it must be {LEAST_READS:,} to {MOST_READS:,}")


def _refusal(path: Path, field: str, value: object, reason: str) -> InputError:
    """Return the error about the value of a field; about the whole file where there is no field."""
    if not field:
        return InputError("calibration-file", f"{path}: {reason}", _LEARN)
    shown = repr(value)
    shown = shown if len(shown) <= _LONGEST_VALUE else f"{shown[:_LONGEST_VALUE]}…"
    return InputError("calibration-file", f"{path}: {field}: {shown}: {reason}", _LEARN)
