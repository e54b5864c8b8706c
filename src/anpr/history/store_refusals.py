"""What a store refuses a service: logged when it begins, and shown as the reason for "not ready".

A service does not end when its store refuses something: a restart would not help. It retries. What the broker refuses
is in `kafka/rejections.py`.
"""

from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)


class StoreRefusals:
    """The refusals of one service. Any thread may ask for them."""

    def __init__(self, event: str = "the store refuses, trying again") -> None:
        """`event` is what the log says, with the reason."""
        self._event = event
        self._current = ""

    def note(self, error: AnprError) -> None:
        """Log a refusal when it begins."""
        if str(error) != self._current:
            log.error(self._event, code=error.code, error=str(error), next_step=error.next_step)
        self._current = str(error)

    def clear(self) -> None:
        """Note that the store refuses nothing."""
        self._current = ""

    def why_not_ready(self) -> list[str]:
        """Return why the service is not ready, nothing when nothing is refused."""
        return [self._current] if self._current else []
