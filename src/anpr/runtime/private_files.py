"""Folders and files for this user alone: lists name persons and reasons, and some are covert.

A folder has the mode 0700 and a file 0600, whatever the umask says.
"""

from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
_OTHERS: Final = 0o077


def make_private_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone. Raises OSError."""
    if not path.is_dir():
        make_private_folder(path.parent)
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)


def keep_private(path: Path) -> None:
    """Take a folder that an earlier version made, and the files in it, from all other users. Raises OSError."""
    path.chmod(FOLDER_MODE)
    for file in path.iterdir():
        if file.is_file() and not file.is_symlink():
            file.chmod(FILE_MODE)


def is_private(path: Path) -> bool:
    """Tell whether no other user may read or change a file or folder. Raises OSError."""
    return not path.stat(follow_symlinks=False).st_mode & _OTHERS
