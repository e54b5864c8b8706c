"""A request to stop, made by a signal."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

# A signal does not end a sleep, so no sleep may be longer than a stop may take.
_LONGEST_SLEEP_S = 0.05


class StopRequest:
    """A plain flag. A `threading.Event` would hang for ever now and then.

    Its `set` takes the lock that the main thread may hold within its `wait`, and a signal handler runs on the main
    thread.
    """

    __slots__ = ("is_requested",)

    def __init__(self) -> None:
        """Start without a request."""
        self.is_requested = False

    def sleep(self, seconds: float) -> None:
        """Sleep for a part of the time. The caller checks whether to go on."""
        if not self.is_requested:
            time.sleep(min(seconds, _LONGEST_SLEEP_S))


@contextmanager
def stop_on_signals(*numbers: signal.Signals) -> Iterator[StopRequest]:
    """Return a context whose stop is requested by the signals. It restores their handlers at its end."""
    stop = StopRequest()

    def ask(*_: object) -> None:
        stop.is_requested = True

    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
