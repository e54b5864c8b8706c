"""A disk of some kilobytes, for tests of what happens when it is full."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

_PAGE: Final = 4096


class SmallDisk:
    """A filesystem in memory at `path`, that can be filled and emptied again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leave no page free."""
        with self._ballast.open("ab", buffering=0) as file:
            while True:
                try:
                    file.write(bytes(_PAGE))
                except OSError as error:
                    assert error.errno == errno.ENOSPC  # noqa: PT017  this is how it ends
                    return

    def make_room(self) -> None:
        """Take away what filled it."""
        self._ballast.unlink()


@contextmanager
def small_disk(path: Path, kilobytes: int) -> Iterator[SmallDisk]:
    """Mount a disk at `path`, which only root may do: elsewhere the test is skipped, but fails in CI."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "anpr-small-disk", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        says = f"a small disk cannot be mounted: {done.stderr.strip()}"
        if os.environ.get("CI"):
            pytest.fail(says)
        pytest.skip(says)
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=False)  # noqa: S607  found on the PATH
