"""Keeps the progress of the searches on disk, beside the history of the site."""

import os
from pathlib import Path

import msgspec

from anpr.back_check.search import Progress
from anpr.history.database import HistoryUnavailableError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)


class ProgressFile:
    """One file, replaced as a whole. Without it everything on the lists is looked for again; no alert comes twice."""

    def __init__(self, path: Path) -> None:
        """Keep it at `path`."""
        self._path = path

    def load(self) -> Progress:
        """Return what was saved last, the beginning where there is nothing usable."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Progress)
        except FileNotFoundError:
            return Progress()
        except (msgspec.MsgspecError, OSError):
            log.warning("the progress of the back-check cannot be read; it begins again", file=str(self._path))
            return Progress()

    def save(self, progress: Progress) -> None:
        """Replace the file. Raises HistoryUnavailableError where the disk refuses."""
        partial = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with partial.open("wb") as file:
                file.write(msgspec.json.encode(progress))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
        except OSError as error:
            raise HistoryUnavailableError(f"the file {self._path}: {error.strerror or error}") from None
