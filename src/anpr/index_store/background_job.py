"""Runs a piece of work in a thread of its own, for a loop that must not wait for it."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class BackgroundJob(Generic[T]):
    """Runs once, from now on. `seconds` is how long it took, 0 until it has succeeded."""

    def __init__(self, name: str, work: Callable[[], T], stopwatch: Callable[[], float]) -> None:
        """Start `work` in a thread with this name."""
        self.seconds = 0.0
        self._future: Future[T] = Future()

        def run() -> None:
            began = stopwatch()
            try:
                result = work()
                self.seconds = stopwatch() - began
                self._future.set_result(result)
            except BaseException as error:  # noqa: BLE001  it is raised where the result is asked for
                self._future.set_exception(error)

        threading.Thread(target=run, name=name, daemon=True).start()

    def is_done(self) -> bool:
        """Tell whether the work has ended."""
        return self._future.done()

    def has_failed(self) -> bool:
        """Wait for the end, and tell whether the work raised an error."""
        return self._future.exception() is not None

    def result(self) -> T:
        """Wait for the result. Raises the error that ended the work."""
        return self._future.result()
