"""A plan on disk. Only its owner can read it, because it holds plates."""

from errno import EEXIST
from pathlib import Path

import msgspec

from anpr.runtime.atomic_file import write_atomically
from anpr.runtime.errors import InputError
from anpr.watchlist.plan import FORMAT, Plan


def write(path: Path, plan: Plan) -> None:
    """Write the plan to `path`, replacing a file. Raises InputError: then an earlier plan is still there."""
    text = msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n"
    try:
        if path.exists() and not path.is_file():  # root could replace a device by a file
            raise FileExistsError(EEXIST, "it is not a file")
        write_atomically(path, text)
    except OSError as error:
        raise InputError(
            "plan-unwritable",
            f"{path}: {error.strerror or error}",
            "name an existing folder that you may write to, on a disk with free space",
        ) from None


def read(path: Path) -> Plan:
    """Return the plan at `path`. Raises InputError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except OSError as error:
        raise InputError("plan-unreadable", f"{path}: {error.strerror or error}", "name an existing plan") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            "plan-unreadable",
            f"{path}: not a plan of format {FORMAT}: {error}",
            "make it with `anpr watchlist plan FILE.csv --list NAME --out plan.json`",
        ) from None
