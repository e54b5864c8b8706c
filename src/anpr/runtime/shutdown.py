"""Calls a service back when a signal asks it to stop."""

import signal
from collections.abc import Callable


def on_stop(then: Callable[[], object]) -> None:
    """Call `then` on SIGTERM or Ctrl-C. Before this call, `anpr.entrypoint` ends the process immediately."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: then())
