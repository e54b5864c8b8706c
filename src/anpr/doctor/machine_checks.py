"""Checks this machine: its folders, the free space on their disks, and the port of its metrics."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from http.client import HTTPConnection, HTTPException
from itertools import islice
from pathlib import Path

from anpr.doctor.findings import Check, Finding, note, well, wrong
from anpr.runtime.private_files import is_private
from anpr.runtime.settings import Settings

# The index of a million entries takes several hundred megabytes, and the new one is written beside the old one.
MIN_FREE_BYTES = 1_000_000_000
_ANSWER_SECONDS = 2
# So many files tell enough.
_MOST_FILES = 10_000


def checks(settings: Settings) -> list[tuple[str, str, Check]]:
    """Return the checks of this machine."""
    folders = {"state_dir": settings.state_dir, "images_dir": settings.images_dir}
    machine_checks: list[tuple[str, str, Check]] = [
        ("folder", name, partial(check_folder, name, path)) for name, path in folders.items()
    ]
    if settings.metrics.port:
        address = f"{settings.metrics.host}:{settings.metrics.port}"
        machine_checks.append(
            ("metrics port", address, partial(check_port, settings.metrics.host, settings.metrics.port))
        )
    return machine_checks


def check_folder(name: str, path: Path, min_free_bytes: int = MIN_FREE_BYTES) -> Iterable[Finding]:
    """Write a file to the folder, or to the nearest existing folder above it, and check the free space."""
    subject = f"{name} {path}"
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=existing, prefix=".anpr-doctor-") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield wrong(
            "folder",
            subject,
            f"cannot write to {existing}: {error.strerror}",
            "free space there, or give this user permission to write",
        )
        return
    free = shutil.disk_usage(existing).free
    if free < min_free_bytes:
        yield wrong(
            "folder", subject, f"{free / 1e6:,.0f} MB are free", f"free at least {min_free_bytes / 1e6:,.0f} MB"
        )
    else:
        yield well("folder", subject, f"can be written; {free / 1e9:,.1f} GB are free")
    yield from _check_private(subject, path)


def _check_private(subject: str, path: Path) -> Iterable[Finding]:
    """Look for a file that other users of this machine may read: lists name persons, and some are covert."""
    found = next(islice(_readable_by_others(path), 1), None)
    if found is not None:
        yield wrong("folder", subject, f"other users of this machine may read {found}", f"run `chmod -R go= {path}`")


def _readable_by_others(folder: Path) -> Iterator[Path]:
    """Yield the files that others may read. What is in a folder of this user alone they may not.

    An empty folder counts too: what a service or a backup puts there later, others may see.
    """
    try:
        if is_private(folder) or folder.is_symlink():
            return
        paths = list(islice(folder.iterdir(), _MOST_FILES))
        if not paths:
            yield folder
        for path in paths:
            if path.is_dir():
                yield from _readable_by_others(path)
            elif path.is_file() and not is_private(path):
                yield path
    except OSError:
        return  # it does not exist, or changed meanwhile


def check_port(host: str, port: int) -> Iterable[Finding]:
    """Ask the service on the port of the metrics for its health."""
    subject = f"{host}:{port}"
    address = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104  compared, not bound
    answers: dict[str, tuple[int, str]] = {}
    try:
        for path in ("/livez", "/readyz"):
            with closing(HTTPConnection(address, port, timeout=_ANSWER_SECONDS)) as connection:
                connection.request("GET", path)
                answer = connection.getresponse()
                text = answer.read(2000).decode("utf-8", "replace").strip()
                answers[path] = answer.status, text.replace("\n", "; ")
    except ConnectionRefusedError:
        yield note("metrics port", subject, "nothing listens: no service with this port runs here")
        return
    except (OSError, HTTPException) as error:
        yield wrong(
            "metrics port",
            subject,
            f"the program on this port does not answer over HTTP: {type(error).__name__}",
            "free the port, or set metrics.port to another",
        )
        return
    if answers["/livez"][0] == 404:
        yield wrong(
            "metrics port", subject, "another program listens there", "free the port, or set metrics.port to another"
        )
        return
    for path, (status, text) in answers.items():
        if status == 200:
            yield well("metrics port", subject, f"{path}: {text}")
        else:
            step = "restart that service" if path == "/livez" else "correct what it reports; a restart would not help"
            yield wrong("metrics port", subject, f"{path}: {text}", step)
