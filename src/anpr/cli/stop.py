"""How a service is asked to stop."""

import signal
from collections.abc import Callable


def on_stop(then: Callable[[], object]) -> None:
    """Call `then` when SIGTERM or Ctrl-C comes, from now on. Until here `anpr.start` ends the process at once."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: then())
