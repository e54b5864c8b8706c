"""Asks a broker again while it is settling.

After a start, or when a topic is new, a broker has no leader or coordinator for some seconds.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

T = TypeVar("T")

_SETTLING: Final = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
}


def ask_until_settled(ask: Callable[[], T], wait_seconds: float) -> T:
    """Return the answer of `ask`. Raises KafkaException, that of a settling broker only after `wait_seconds`."""
    until = time.monotonic() + wait_seconds
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _SETTLING or time.monotonic() > until:
                raise
            time.sleep(0.1)
