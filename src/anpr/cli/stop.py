"""How a service is asked to stop."""

import signal
import threading


def stop_on_signal() -> threading.Event:
    """Return what SIGTERM or Ctrl-C sets, from now on."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
