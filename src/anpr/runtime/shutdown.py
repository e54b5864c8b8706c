"""Calls a service back when a signal asks it to stop, and ends what it waits for."""

import signal
from collections.abc import Callable


class StoppedError(Exception):
    """The service is to stop while the broker does not answer. What was not published is published after a start."""


def on_stop(then: Callable[[], object]) -> None:
    """Call `then` on SIGTERM or Ctrl-C. Before this call, `anpr.entrypoint` ends the process immediately."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: then())
