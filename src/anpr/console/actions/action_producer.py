"""Writes what officers do to the site's own actions topic. It counts once it has been read back from there."""

import threading
from collections.abc import Callable, Sequence

from anpr.contracts import topics
from anpr.contracts.events import encode
from anpr.contracts.topics import AddressedAction
from anpr.kafka.broker_errors import refused
from anpr.kafka.errors import UndeliveredError
from anpr.kafka.interfaces import Producer
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

FLUSH_SECONDS = 5


class ActionProducer:
    """Publishes actions, one request at a time."""

    def __init__(self, open_producer: Callable[[], Producer]) -> None:
        """`open_producer` connects to the site's broker, again after the broker has refused something."""
        self._open = open_producer
        self._producer = open_producer()
        self._lock = threading.Lock()

    def write(self, addressed_actions: Sequence[AddressedAction]) -> bool:
        """Publish actions, each on the topic of its audience; return whether the broker has them all.

        Where it does not answer in time they stay with the client, which delivers them when the broker is back.
        Raises UnavailableError when it refuses one: then that is lost, and must be done again.
        """
        with self._lock:
            try:
                for addressed in addressed_actions:
                    self._producer.produce(topics.of_action(addressed), None, encode(addressed.action))
                return self._producer.flush(FLUSH_SECONDS) == 0
            except UndeliveredError as error:
                self._producer = self._open()
                log.error("the broker refuses an action", code=error.code)  # noqa: TRY400  it says all
                raise refused("the broker refuses it, and others do not see it", error) from None
