"""Notices partitions of a topic that no member of its group reads.

A member that joins again under its name gets what it had before, without a new division of the partitions
(KAFKA-13435). If a broker dies just after a topic got a partition, all members know the partition and nobody has it,
for ever: the broker waits for a member to ask, and each member for another change of the topic.
"""

import struct
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from anpr.kafka.connection import COMMON_SETTINGS
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_ASK_EVERY_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 2.0
# So many answers in a row must say so: a group that divides its partitions anew takes a second or two.
_ANSWERS: Final = 2

# Returns the partitions of the topic that members of the group have, None while they divide them.
AskGroup = Callable[[], set[int] | None]


class GroupCoverage:
    """What the members of a group read of a topic. Only one thread may use it."""

    def __init__(self, topic: str, ask: AskGroup, stopwatch: Callable[[], float] = time.monotonic) -> None:
        """`ask` may take its time and raise KafkaException: it runs in a thread of its own."""
        self._topic = topic
        self._ask = ask
        self._stopwatch = stopwatch
        self._asked: Future[set[int] | None] | None = None
        self._ask_at = 0.0
        self._answers = 0

    def is_missing_one(self, partitions: int, own: Iterable[int]) -> bool:
        """Tell whether nobody has read one of the topic's partitions lately. Never waits.

        `partitions` is how many the topic has, and `own` are those of this member.
        """
        missing = set(range(partitions)).difference(own)
        if not missing:
            self._answers, self._asked = 0, None
            return False
        if self._asked is None and self._stopwatch() >= self._ask_at:
            self._ask_at = self._stopwatch() + _ASK_EVERY_SECONDS
            self._asked = _in_a_thread(self._ask)
        if self._asked is None or not self._asked.done():
            return False
        read, self._asked = _answer_in(self._asked), None
        missing = missing - read if read is not None else set()
        self._answers = self._answers + 1 if missing else 0
        if self._answers < _ANSWERS:
            return False
        self._answers = 0
        log.warning(
            "no member reads a partition: dividing the partitions again", topic=self._topic, partitions=len(missing)
        )
        return True


def group_asker(bootstrap: str, topic: str, group: str) -> AskGroup:
    """Return how to ask the broker at `bootstrap` what the members of a group read of a topic."""
    admins: list[AdminClient] = []

    def ask() -> set[int] | None:
        if not admins:
            admins.append(AdminClient({**COMMON_SETTINGS, "bootstrap.servers": bootstrap}))
        # The client calls this request old. Its new one aborts the process when the connection breaks meanwhile
        # (librdkafka's issue 4605).
        found = admins[0].list_groups(group, timeout=_ANSWER_SECONDS)
        if not found or found[0].state != "Stable":
            return None
        return {number for member in found[0].members for number in partitions_in(member.assignment or b"", topic)}

    return ask


def partitions_in(assignment: bytes, topic: str) -> list[int]:
    """Return the partitions of a topic in a member's assignment, as Kafka's consumer protocol writes it."""
    if not assignment:  # it has none
        return []
    (topics,), at, found = struct.unpack_from(">i", assignment, 2), 6, list[int]()
    for _ in range(topics):
        (length,) = struct.unpack_from(">h", assignment, at)
        name = assignment[at + 2 : at + 2 + length].decode()
        at += 2 + length
        (count,) = struct.unpack_from(">i", assignment, at)
        if name == topic:
            found += struct.unpack_from(f">{count}i", assignment, at + 4)
        at += 4 + 4 * count
    return found


def _in_a_thread(ask: AskGroup) -> Future[set[int] | None]:
    asked: Future[set[int] | None] = Future()

    def run() -> None:
        try:
            asked.set_result(ask())
        except Exception as error:  # noqa: BLE001  whoever takes the answer gets it
            asked.set_exception(error)

    threading.Thread(target=run, name="group-coverage", daemon=True).start()
    return asked


def _answer_in(asked: Future[set[int] | None]) -> set[int] | None:
    """Return the answer; None where there is none: the broker is away, or this member may not ask."""
    try:
        return asked.result()
    except (KafkaException, struct.error, UnicodeDecodeError):
        return None
