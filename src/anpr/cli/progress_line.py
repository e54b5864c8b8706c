"""How far long work is, on stderr: one line that changes on a terminal, else a line now and then."""

import sys
import time

import click

_LINE_EVERY_SECONDS = 5.0
_REDRAW_EVERY_SECONDS = 0.2


class ProgressLine:
    """Call it with how much of how much is done. Work that is over in a moment says nothing."""

    def __init__(self, what: str) -> None:
        """`what` is being done."""
        self._what = what
        self._is_terminal = sys.stderr.isatty()
        self._every_seconds = _REDRAW_EVERY_SECONDS if self._is_terminal else _LINE_EVERY_SECONDS
        self._began_at = self._told_at = time.monotonic()
        self._has_told = False

    def __call__(self, done: int, of: int) -> None:
        """Tell, if it is time to."""
        now = time.monotonic()
        is_end = done >= of
        if now - self._told_at < self._every_seconds and not (is_end and self._has_told):
            return
        self._told_at = now
        self._has_told = not is_end
        seconds = now - self._began_at
        left = f"{seconds:.0f} s" if is_end else f"about {seconds * (of - done) / done:.0f} s left" if done else ""
        line = f"{self._what}: {done * 100 // of if of else 100} %, {left}"
        click.echo(f"\r{line:<78}" if self._is_terminal else line, err=True, nl=is_end or not self._is_terminal)
