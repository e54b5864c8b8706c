"""A file that one process at a time holds. The system lets it go when the process ends, in whichever way."""

import fcntl
import os
from pathlib import Path

from anpr.runtime.private_files import FILE_MODE


def hold(path: Path) -> int:
    """Hold a file until the descriptor is closed. Raises OSError; BlockingIOError while another process holds it."""
    held = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, FILE_MODE)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(held)
        raise
    return held


def is_held(path: Path) -> bool:
    """Tell whether a process holds a file, which need not exist. Raises OSError."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
