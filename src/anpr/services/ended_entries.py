"""Asks the list which entries have ended, in a thread of its own: a Redis that is slow holds up no board."""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anpr.errors import UnavailableError
from anpr.events import EntryEnded, Generation
from anpr.logs import get_logger

log = get_logger(__name__)

AskEnded = Callable[[Sequence[str]], list[EntryEnded]]


@dataclass(frozen=True, slots=True)
class Question:
    """Which of these entries have ended, as of a generation of the list?"""

    generation: Generation | None
    entry_ids: frozenset[str]


class EndedEntries:
    """One question is under way at a time. Call `ask`, and `answer` now and then."""

    def __init__(self, ask: AskEnded) -> None:
        """`ask` returns the tombstones of entries; it may take its time, and may raise UnavailableError."""
        self._ask = ask
        self._under_way = False
        self._answered: Question | None = None
        self._questions: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[Question, list[EntryEnded] | None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ended-entries", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more. A question that is under way is not waited for."""
        self._questions.put(None)

    def ask(self, question: Question) -> None:
        """Ask, unless this was answered last or a question is under way still."""
        if not self._under_way and question != self._answered:
            self._under_way = True
            self._questions.put(question)

    def answer(self) -> list[EntryEnded]:
        """Return the tombstones that have come since the last call; never waits."""
        try:
            question, ended = self._answers.get_nowait()
        except queue.Empty:
            return []
        self._under_way = False
        if ended is not None:
            self._answered = question
        return ended or []

    def _run(self) -> None:
        while (question := self._questions.get()) is not None:
            ended = None
            try:
                ended = self._ask(sorted(question.entry_ids))
            except UnavailableError as error:
                log.warning("ended entries not to be had, asking again", reason=str(error))
            except Exception:
                # Whoever shows the board must not go on for ever with entries that have ended.
                log.exception("asking for ended entries failed, asking again")
            self._answers.put((question, ended))
