"""Progress of long work on stderr: on a terminal one line that changes, otherwise a new line every few seconds."""

import sys
import time

import click

_LINE_EVERY_SECONDS = 5.0
_REDRAW_EVERY_SECONDS = 0.2


class ProgressLine:
    """Call it with how much is done, and how much there is. Short work shows nothing."""

    def __init__(self, activity: str) -> None:
        """`activity` names the work, as in "reading the file"."""
        self._activity = activity
        self._is_terminal = sys.stderr.isatty()
        self._every_seconds = _REDRAW_EVERY_SECONDS if self._is_terminal else _LINE_EVERY_SECONDS
        self._started_at = self._shown_at = time.monotonic()
        self._has_open_line = False

    def __call__(self, done: int, total: int) -> None:
        """Show the progress if it is time to."""
        now = time.monotonic()
        is_end = done >= total
        if now - self._shown_at < self._every_seconds and not (is_end and self._has_open_line):
            return
        self._shown_at = now
        self._has_open_line = not is_end
        seconds = now - self._started_at
        left = f"{seconds:.0f} s" if is_end else f"about {seconds * (total - done) / done:.0f} s left" if done else ""
        line = f"{self._activity}: {done * 100 // total if total else 100} %, {left}"
        click.echo(f"\r{line:<78}" if self._is_terminal else line, err=True, nl=is_end or not self._is_terminal)
