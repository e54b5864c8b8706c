"""The board behind the pages: one thread that folds, looks and waits; the event loop only gets what is ready.

The boards belong to this thread alone, so nothing is locked. Whoever wants to know something hands a question over
(`ask`), or a condition to wait for (`wait_for`); both are looked at after each turn. What a turn brings to incidents
is made into a picture at once, but at most ten times a second. All else is looked at four times a second: what
matchers say of themselves, and what comes of time alone, for an entry that has ended must be off the screen within
half a second.
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
_TURN_SECONDS = 0.02


class BoardThread:
    """Runs a board feed in a thread of its own. `look` is called there with the feed and the time."""

    def __init__(self, feed: BoardFeed, look: Callable[[BoardFeed, datetime], None], clock: Clock) -> None:
        """`look` makes the pictures; it must hand them over to other threads itself."""
        self._feed = feed
        self._look = look
        self._clock = clock
        self._questions: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._waiting: list[tuple[Callable[[BoardFeed], bool], float, Future[bool]]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-board", daemon=True)
        self.turned_at = time.monotonic()
        # Called at each picture; whoever serves this process's health puts its own here.
        self.beat: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to read and to look."""
        self._feed.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()
        self._feed.stop()

    def frozen_seconds(self) -> float:
        """Return for how long no picture has been made: a second or less while all is well."""
        return max(0.0, time.monotonic() - self.turned_at)

    def has_read_all(self) -> bool:
        """Tell whether everything that the topics held at the start has been read."""
        return self._feed.caught_up()

    async def ask(self, question: Callable[[BoardFeed], T]) -> T:
        """Return what `question` returns when it is asked in the board's own thread."""
        answer: Future[T] = Future()

        def put() -> None:
            if not answer.set_running_or_notify_cancel():
                return  # nobody waits for it any more
            try:
                answer.set_result(question(self._feed))
            except Exception as error:  # noqa: BLE001  it is the asker's
                answer.set_exception(error)

        self._questions.put(put)
        return await asyncio.wrap_future(answer)

    async def wait_for(self, condition: Callable[[BoardFeed], bool], seconds: float) -> bool:
        """Wait until the condition holds on the board, at most so long; return whether it did."""
        answer: Future[bool] = Future()
        waits = (condition, time.monotonic() + seconds, answer)
        self._questions.put(lambda: self._waiting.append(waits))
        return await asyncio.wrap_future(answer)

    def _run(self) -> None:
        look_at = tick_at = 0.0
        has_news = False
        while not self._stop.is_set():
            try:
                changes = self._feed.change_count
                self._feed.fold_new_records(_TURN_SECONDS)
                if self._feed.change_count != changes:
                    has_news, tick_at = True, min(tick_at, look_at)
                self._answer()
                now = time.monotonic()
                if now >= tick_at:
                    self._look(self._feed, self._clock())
                    self.turned_at = time.monotonic()
                    self.beat()
                    tick_at = now + TICK_SECONDS
                    if has_news:  # a look at what comes of time alone makes no vehicle wait
                        has_news, look_at = False, now + GATHER_SECONDS
            except Exception:
                # The thread must not end while its pages look alive; that no picture was made shows on them.
                log.exception("the board's thread stumbled, going on")
                self._stop.wait(TICK_SECONDS)

    def _answer(self) -> None:
        while True:
            try:
                self._questions.get_nowait()()
            except queue.Empty:
                break
        still: list[tuple[Callable[[BoardFeed], bool], float, Future[bool]]] = []
        for condition, until, answer in self._waiting:
            holds = condition(self._feed)
            if not holds and time.monotonic() < until:
                still.append((condition, until, answer))
            elif answer.set_running_or_notify_cancel():
                answer.set_result(holds)
        self._waiting = still
