"""Wakes a thread as soon as a file of a folder has been replaced.

The kernel reports it (inotify), so waiting costs nothing. Where the kernel cannot, as on a network disk, each wait
lasts its whole time.
"""

import ctypes
import os
import select
from pathlib import Path
from typing import Final

# From <sys/inotify.h>: a file has got its final name by a rename.
_IN_MOVED_TO: Final = 0x80
_MOST_EVENT_BYTES: Final = 4096


class FolderWatch:
    """Call `wait` again and again from one thread, `wake` from any other. The folder need not exist yet."""

    def __init__(self, folder: Path) -> None:
        """Start to watch."""
        self._folder = os.fsencode(folder)
        self._kernel = ctypes.CDLL(None)
        self._events: int = self._kernel.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.poll()
        for descriptor in self._descriptors():
            self._poll.register(descriptor, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Return when a file has been replaced since the last call, after `wake`, or after so many seconds."""
        # Again each time, which changes nothing for a folder that is watched: it may have been made just now.
        self._kernel.inotify_add_watch(self._events, self._folder, _IN_MOVED_TO)
        for descriptor, _ in self._poll.poll(seconds * 1000):
            os.read(descriptor, _MOST_EVENT_BYTES)

    def wake(self) -> None:
        """Let the present or the next `wait` return at once."""
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Stop watching."""
        for descriptor in self._descriptors():
            os.close(descriptor)

    def _descriptors(self) -> list[int]:
        """Without the kernel's, where all that this user may have are in use."""
        return [descriptor for descriptor in (self._events, self._wake) if descriptor >= 0]
