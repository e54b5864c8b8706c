"""A plan on disk, readable by its owner alone: it holds plates."""

import os
from errno import EEXIST
from pathlib import Path

import msgspec

from anpr.runtime.errors import InputError
from anpr.watchlist.plan import FORMAT, Plan


def write(path: Path, plan: Plan) -> None:
    """Put the plan at `path`, in place of a file that is there. Raises InputError."""
    text = msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n"
    try:
        if path.exists() and not path.is_file():  # who may do everything would put a file in place of a device
            raise FileExistsError(EEXIST, "it is no file")
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
    except OSError as error:
        raise InputError(
            "plan-unwritable", f"{path}: {error.strerror or error}", "name a place for the plan that you may write"
        ) from None


def read(path: Path) -> Plan:
    """Return the plan at `path`. Raises InputError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except OSError as error:
        raise InputError(
            "plan-unreadable", f"{path}: {error.strerror or error}", "name a plan that is there"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            "plan-unreadable",
            f"{path}: not a plan of format {FORMAT}: {error}",
            "make it with `anpr watchlist plan FILE.csv --list NAME --out plan.json`",
        ) from None
