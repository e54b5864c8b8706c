"""Publishes retrospective alerts on the topics of their site, the covert ones apart."""

from collections.abc import Callable, Sequence
from functools import partial

from anpr.contracts import topics
from anpr.contracts.events import Alert, encode
from anpr.kafka.delivery_errors import TOO_LARGE, UndeliveredError
from anpr.kafka.interfaces import Producer
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_FLUSH_SECONDS = 1.0


class AlertPublisher:
    """Returns when the broker has the alerts. One that is too large for its topic is logged and left out."""

    def __init__(self, producer: Producer, while_waiting: Callable[[], None]) -> None:
        """Call `while_waiting` once a second while the broker does not answer; it may raise to give up."""
        self._producer = producer
        self._while_waiting = while_waiting

    def __call__(self, alerts: Sequence[Alert]) -> None:
        """Publish these alerts. Raises UndeliveredError when the broker refuses one."""
        refused: list[UndeliveredError] = []
        for alert in alerts:
            self._producer.produce(
                topics.of_alert(alert), alert.plate, encode(alert), on_delivery=partial(_note, refused)
            )
        while self._producer.flush(_FLUSH_SECONDS):
            self._while_waiting()
        for error in refused:
            if error.code != TOO_LARGE:
                raise error
            log.error("a retrospective alert is too large for its topic and is left out", code=TOO_LARGE)


def _note(refused: list[UndeliveredError], error: UndeliveredError | None) -> None:
    if error is not None:
        refused.append(error)
