"""The board behind the pages: one thread folds records and makes pages; the event loop only gets finished pages.

The boards belong to this thread alone, so nothing is locked. Other threads hand it a question (`run`) or a condition
(`wait_until`); it looks at both after each pass of its loop. A pass waits for records, a question or the next tick.

A tick makes the pages. After records that may change an incident the next tick comes immediately, but at most ten
times a second. Otherwise it comes four times a second, for what the matchers report and for what time alone changes:
an entry that has expired must be off the screen within half a second.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import TypeVar

from anpr.board.board_feed import BoardFeed
from anpr.runtime.clock import Clock
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

T = TypeVar("T")

GATHER_SECONDS = 0.1
TICK_SECONDS = 0.25
# The feed asks about the entries of new alerts after a pass.
_LONGEST_WAIT_SECONDS = 0.25


class BoardThread:
    """Runs a board feed in a thread of its own.

    Attributes:
        heartbeat: Called after each tick. The process's health may put its own function here.
    """

    def __init__(self, feed: BoardFeed, on_tick: Callable[[BoardFeed, datetime], None], clock: Clock) -> None:
        """`on_tick` is called in the thread with the feed and the time. It must hand its results to others itself."""
        self._feed = feed
        self._on_tick = on_tick
        self._clock = clock
        self._questions: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._waiting: list[tuple[Callable[[BoardFeed], bool], float, Future[bool]]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-board", daemon=True)
        self._last_tick_at = time.monotonic()
        self.heartbeat: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Start to read and to tick."""
        self._feed.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._feed.wake()
        self._thread.join()
        self._feed.stop()

    def seconds_since_tick(self) -> float:
        """Return how long ago the last tick was: a second or less while all is well."""
        return max(0.0, time.monotonic() - self._last_tick_at)

    def has_read_all(self) -> bool:
        """Tell whether everything that the topics held at the start has been read."""
        return self._feed.caught_up()

    async def run(self, question: Callable[[BoardFeed], T]) -> T:
        """Return what `question` returns when it is called in the board's thread."""
        answer: Future[T] = Future()

        def answer_question() -> None:
            if not answer.set_running_or_notify_cancel():
                return  # the caller no longer waits
            try:
                answer.set_result(question(self._feed))
            except Exception as error:  # noqa: BLE001  it belongs to the caller
                answer.set_exception(error)

        self._ask(answer_question)
        return await asyncio.wrap_future(answer)

    async def wait_until(self, condition: Callable[[BoardFeed], bool], seconds: float) -> bool:
        """Wait at most `seconds` until the condition holds in the board's thread; return whether it did."""
        answer: Future[bool] = Future()
        waiting = (condition, time.monotonic() + seconds, answer)
        self._ask(lambda: self._waiting.append(waiting))
        return await asyncio.wrap_future(answer)

    def _ask(self, question: Callable[[], None]) -> None:
        self._questions.put(question)
        self._feed.wake()

    def _run(self) -> None:
        gathered_at = next_tick_at = 0.0
        has_changes = False
        while not self._stop.is_set():
            try:
                changes = self._feed.change_count
                self._feed.fold_new_records(min(max(0.0, next_tick_at - time.monotonic()), _LONGEST_WAIT_SECONDS))
                if self._feed.change_count != changes:
                    has_changes, next_tick_at = True, min(next_tick_at, gathered_at)
                self._answer()
                now = time.monotonic()
                if now >= next_tick_at:
                    self._on_tick(self._feed, self._clock())
                    self._last_tick_at = time.monotonic()
                    self.heartbeat()
                    next_tick_at = now + TICK_SECONDS
                    if has_changes:  # a tick for time alone must not delay a vehicle
                        has_changes, gathered_at = False, now + GATHER_SECONDS
            except Exception:
                # The thread must not end while its pages look alive. They show that no tick came.
                log.exception("the board's thread failed, continuing")
                self._stop.wait(TICK_SECONDS)

    def _answer(self) -> None:
        while True:
            try:
                self._questions.get_nowait()()
            except queue.Empty:
                break
        unmet: list[tuple[Callable[[BoardFeed], bool], float, Future[bool]]] = []
        for condition, until, answer in self._waiting:
            holds = condition(self._feed)
            if not holds and time.monotonic() < until:
                unmet.append((condition, until, answer))
            elif answer.set_running_or_notify_cancel():
                answer.set_result(holds)
        self._waiting = unmet
