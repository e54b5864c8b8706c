"""Writes officers' actions to the site's own actions topics. An action counts once it is read back from there."""

import threading
from collections.abc import Callable, Sequence

from anpr.contracts import topics
from anpr.contracts.events import encode
from anpr.contracts.topics import AddressedAction
from anpr.kafka.broker_errors import refused
from anpr.kafka.delivery_errors import UndeliveredError
from anpr.kafka.interfaces import Producer
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

FLUSH_SECONDS = 5


class ActionProducer:
    """Publishes the actions of one request after another."""

    def __init__(self, open_producer: Callable[[], Producer]) -> None:
        """`open_producer` connects to the site's broker: now, and again after the broker has refused an action."""
        self._open = open_producer
        self._producer = open_producer()
        self._lock = threading.Lock()

    def write(self, addressed_actions: Sequence[AddressedAction]) -> bool:
        """Publish actions, each on the topic of its audience; return whether the broker has them all.

        When the broker does not answer in time, the client keeps them and delivers them once it is back. Raises
        UnavailableError when the broker refuses one: that action is lost, and the officer must repeat it.
        """
        with self._lock:
            try:
                for addressed in addressed_actions:
                    self._producer.produce(topics.of_action(addressed), None, encode(addressed.action))
                return self._producer.flush(FLUSH_SECONDS) == 0
            except UndeliveredError as error:
                self._producer = self._open()
                log.error("the broker refuses an action", code=error.code)  # noqa: TRY400  the code says all
                raise refused("the system refuses it, and others do not see it", error) from None
