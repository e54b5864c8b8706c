"""A request to stop, as a signal makes it."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

# A sleep that a signal falls into goes on to its end, so no sleep is longer than a stop may take.
_LONGEST_SLEEP_S = 0.05


class Stop:
    """A flag and nothing more. `threading.Event` would not do.

    Its `set` takes the lock that the main thread may hold within its `wait`, and a signal handler runs on the main
    thread: now and then such a stop would hang for ever.
    """

    __slots__ = ("asked",)

    def __init__(self) -> None:
        """Begin without a request."""
        self.asked = False

    def sleep(self, seconds: float) -> None:
        """Sleep for a piece of the time; the caller looks whether to go on."""
        if not self.asked:
            time.sleep(min(seconds, _LONGEST_SLEEP_S))


@contextmanager
def on(*numbers: signal.Signals) -> Iterator[Stop]:
    """Give a stop that the signals ask for. Behind it they do again what they did before."""
    stop = Stop()

    def ask(*_: object) -> None:
        stop.asked = True

    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
