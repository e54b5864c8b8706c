"""Follows the topics at every Kafka address and hands their records over in one queue.

Each distinct address has a thread of its own that only polls, so a site that cannot be reached delays no other site.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from anpr.board.site_health import NOT_READ_YET
from anpr.kafka.interfaces import Record, Tail
from anpr.runtime.logs import get_logger

OpenTail = Callable[[str, Sequence[str]], Tail]

log = get_logger(__name__)

_QUEUE_RECORDS = 10_000
_AGAIN_SECONDS = 1.0


class _ReadToEnd(NamedTuple):
    """Stands in the queue behind everything that the topics of a tail held when they were opened."""

    tail: Tail


class TopicFollower:
    """The records of all topics, in the order in which they arrive. Call `start`, then `records` again and again."""

    def __init__(self, open_tail: OpenTail, topics_at: Mapping[str, Sequence[str]]) -> None:
        """`open_tail` opens topics at an address; `topics_at` names the topics to follow, by address."""
        self._tails = {address: open_tail(address, topics) for address, topics in topics_at.items()}
        self._caught_up: set[Tail] = set()
        self._queue: queue.Queue[Record | _ReadToEnd | None] = queue.Queue(_QUEUE_RECORDS)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._poll_tail, args=(tail,), name="board-feed", daemon=True)
            for tail in self._tails.values()
        ]

    def start(self) -> None:
        """Start the threads that poll."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop polling and disconnect from the brokers."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def records(self, wait_seconds: float) -> Iterator[Record]:
        """Yield the records that have arrived, 10,000 at most.

        Wait for the first one up to `wait_seconds`, or until another thread calls `wake`.
        """
        for arrived in self._arrived(wait_seconds):
            if isinstance(arrived, _ReadToEnd):
                self._caught_up.add(arrived.tail)
            elif arrived is not None:
                yield arrived

    def wake(self) -> None:
        """Let the present or the next `records` return without a wait."""
        with suppress(queue.Full):  # of records, for which nobody waits
            self._queue.put_nowait(None)

    def _arrived(self, wait_seconds: float) -> Iterator[Record | _ReadToEnd | None]:
        try:
            yield self._queue.get(timeout=wait_seconds)
            for _ in range(_QUEUE_RECORDS - 1):
                yield self._queue.get_nowait()
        except queue.Empty:
            return

    def caught_up(self) -> bool:
        """Tell whether everything that the topics held when they were opened has been handed over.

        It stays so: what comes later is new.
        """
        return len(self._caught_up) == len(self._tails)

    def has_caught_up(self, address: str) -> bool:
        """Tell the same of the topics at one address."""
        return self._tails[address] in self._caught_up

    def problem(self, address: str) -> str:
        """Return what keeps the records of an address from coming, "" when all is well."""
        return self._tails[address].problem()

    def why_silent(self, address: str) -> str:
        """Return why a site whose topics are at `address` may be silent, as far as that is known from here."""
        if problem := self.problem(address):
            return problem
        if self._tails[address] not in self._caught_up:
            return NOT_READ_YET
        return "its broker answers, but its matchers report nothing"

    def _poll_tail(self, tail: Tail) -> None:
        has_caught_up = False
        while not self._stop.is_set():
            try:
                for record in tail.poll(0.1):
                    self._enqueue(record)
                if not has_caught_up and tail.caught_up():
                    self._enqueue(_ReadToEnd(tail))
                    has_caught_up = True
            except Exception:
                # Without this thread the sites at this address would be silent for ever.
                log.exception("cannot read the topics, trying again")
                self._stop.wait(_AGAIN_SECONDS)
        tail.close()

    def _enqueue(self, arrived: Record | _ReadToEnd) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put(arrived, timeout=0.1)
            except queue.Full:
                continue
            return
