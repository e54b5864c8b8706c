"""Asks the broker for the id of a topic, which differs from that of an earlier topic with the same name."""

import time
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from anpr.kafka.connection import COMMON_SETTINGS

_ASK_EVERY_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 5.0
# What a broker without topic ids answers.
_NO_ID: Final = "AAAAAAAAAAAAAAAAAAAAAA"


class TopicIdentity:
    """The id of a topic, asked for every two seconds. Only one thread may use it.

    Attributes:
        partitions: How many partitions the topic had at the last answer, 0 while there is none.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        """Ask the broker at `bootstrap`."""
        self._admin = AdminClient({**COMMON_SETTINGS, "bootstrap.servers": bootstrap})
        self._topic = topic
        self._asked: Future[Any] | None = None
        self._ask_at = 0.0
        self._last = ""
        self.partitions = 0

    def current(self, *, ask_now: bool = False) -> str:
        """Return the last answer, "" while there is none. With `ask_now`, ask again and wait some seconds for it."""
        if ask_now or (self._asked is None and time.monotonic() >= self._ask_at):
            self._ask_at = time.monotonic() + _ASK_EVERY_SECONDS
            answers = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_ANSWER_SECONDS)
            self._asked = answers[self._topic]
        if self._asked is not None and (ask_now or self._asked.done()):
            answer, self._asked = _answer_in(self._asked), None
            if answer is not None:
                self.partitions = len(answer.partitions)
                self._last = _id_of(answer) or self._last
        return self._last

    def ask(self) -> str:
        """Ask now, wait for the answer and return the id; "" if the broker knows no ids. Raises KafkaException."""
        answers = self._admin.describe_topics(TopicCollection([self._topic]), request_timeout=_ANSWER_SECONDS)
        return _id_of(answers[self._topic].result())


def _answer_in(asked: Future[Any]) -> Any:
    """Return the description of a topic; None if the broker does not answer, or has no such topic now."""
    try:
        return asked.result(2 * _ANSWER_SECONDS)
    except (KafkaException, TimeoutError):
        return None


def _id_of(answer: Any) -> str:
    """Return the id in an answer, "" if the broker knows none."""
    topic_id = str(answer.topic_id)
    return "" if topic_id == _NO_ID else topic_id
