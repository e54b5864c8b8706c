"""The environment of a peer: a virtual environment with the packages of its lock file, made once for each lock."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path


def python_of(peer: str) -> Path:
    """Return the Python of a peer's environment, made where it is missing. Raises subprocess.CalledProcessError."""
    lock = Path(__file__).parent / f"{peer}.lock"
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "anpr"
    folder = cache / f"peer-{peer}-{digest}"
    if not folder.exists():
        unfinished = cache / f"{folder.name}-unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(unfinished)], check=True)  # noqa: S603  this Python
        pip = [
            str(unfinished / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "-r",
            str(lock),
        ]
        subprocess.run(pip, check=True)  # noqa: S603  the packages of the lock
        unfinished.rename(folder)
    return folder / "bin" / "python"
