"""This machine: its folders, the room on their disks, and the port of its metrics."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from anpr.doctor.findings import Check, Finding, note, well, wrong
from anpr.runtime.settings import Settings

# An index of a million entries is some hundred megabytes, and it is written beside the old one.
LEAST_FREE_BYTES = 1_000_000_000
_ANSWER_SECONDS = 2


def checks(settings: Settings) -> list[tuple[str, str, Check]]:
    """Return what is to be tried on this machine."""
    folders = {"state_dir": settings.state_dir, "images_dir": settings.images_dir}
    found: list[tuple[str, str, Check]] = [
        ("folder", name, partial(check_folder, name, path)) for name, path in folders.items()
    ]
    if settings.metrics.port:
        address = f"{settings.metrics.host}:{settings.metrics.port}"
        found.append(("metrics port", address, partial(check_port, settings.metrics.host, settings.metrics.port)))
    return found


def check_folder(name: str, path: Path, least_free_bytes: int = LEAST_FREE_BYTES) -> Iterable[Finding]:
    """Write to the folder, or where it would be made, and look how much room there is."""
    on = f"{name} {path}"
    there = next(one for one in (path, *path.parents) if one.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".anpr-doctor-") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield wrong(
            "folder",
            on,
            f"{there} cannot be written: {error.strerror}",
            "make room there, or give this user the right",
        )
        return
    free = shutil.disk_usage(there).free
    if free < least_free_bytes:
        yield wrong(
            "folder", on, f"{free / 1e6:,.0f} MB are free", f"make room: at least {least_free_bytes / 1e6:,.0f} MB"
        )
    else:
        yield well("folder", on, f"can be written; {free / 1e9:,.1f} GB are free")


def check_port(host: str, port: int) -> Iterable[Finding]:
    """Ask whoever listens at the port of the metrics how they are."""
    on = f"{host}:{port}"
    asked = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104  asked, not bound
    answers: dict[str, tuple[int, str]] = {}
    try:
        for path in ("/livez", "/readyz"):
            with closing(HTTPConnection(asked, port, timeout=_ANSWER_SECONDS)) as asking:
                asking.request("GET", path)
                answer = asking.getresponse()
                text = answer.read(2000).decode("utf-8", "replace").strip()
                answers[path] = answer.status, text.replace("\n", "; ")
    except ConnectionRefusedError:
        yield note("metrics port", on, "nobody listens: no service with this port runs here")
        return
    except (OSError, HTTPException) as error:
        yield wrong(
            "metrics port",
            on,
            f"whoever listens does not speak HTTP: {type(error).__name__}",
            "free the port, or set another",
        )
        return
    if answers["/livez"][0] == 404:
        yield wrong(
            "metrics port", on, "another program listens there", "free the port, or set metrics.port to another"
        )
        return
    for path, (status, text) in answers.items():
        if status == 200:
            yield well("metrics port", on, f"{path}: {text}")
        else:
            step = "start that service again" if path == "/livez" else "mend what it says; a restart would not help"
            yield wrong("metrics port", on, f"{path}: {text}", step)
