"""Keeps the progress of the searches on disk, beside the history of the site."""

import os
from pathlib import Path
from typing import IO

import msgspec

from anpr.back_check.search import Progress
from anpr.history.database import HistoryUnavailableError
from anpr.runtime.atomic_file import write_atomically
from anpr.runtime.errors import UnavailableError
from anpr.runtime.file_lock import hold, is_held
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings

log = get_logger(__name__)


def progress_path(settings: Settings, site: str) -> Path:
    """Return where the progress of a site's back-check is on this machine."""
    return settings.history_dir / site / "back-check.json"


class ProgressFile:
    """One file, replaced as a whole. Without it everything on the lists is looked for again; no alert comes twice."""

    def __init__(self, path: Path) -> None:
        """Keep it at `path`."""
        self._path = path
        self._lock_path = path.with_suffix(".lock")

    def load(self) -> Progress:
        """Return what was saved last, the beginning where there is nothing usable."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Progress)
        except FileNotFoundError:
            return Progress()
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OSError):
            log.warning("the progress of the back-check cannot be read; it begins again", file=str(self._path))
            return Progress()

    def lock(self) -> IO[bytes]:
        """Become the one process that writes it, until the returned file is closed.

        Raises UnavailableError where there is another one, HistoryUnavailableError where the disk refuses.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return os.fdopen(hold(self._lock_path), "wb")
        except BlockingIOError:
            raise UnavailableError(
                "back-check-already-runs",
                f"another `anpr back-check` keeps {self._path}",
                "stop the one that is not meant to run",
            ) from None
        except OSError as error:
            raise HistoryUnavailableError(f"the file {self._lock_path}: {error.strerror or error}") from None

    def is_locked(self) -> bool:
        """Tell whether a back-check runs that writes it."""
        try:
            return is_held(self._lock_path)
        except OSError:
            return False

    def save(self, progress: Progress) -> None:
        """Replace the file. Raises HistoryUnavailableError where the disk refuses."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(self._path, msgspec.json.encode(progress))
        except OSError as error:
            raise HistoryUnavailableError(f"the file {self._path}: {error.strerror or error}") from None
