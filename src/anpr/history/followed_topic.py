"""One topic that history follows. After a refusal of the broker or the store it goes on from what is stored."""

import time
from collections.abc import Callable
from typing import Protocol

from anpr.history.database import HistoryUnavailableError
from anpr.history.sighting import Source
from anpr.history.store_refusals import StoreRefusals
from anpr.kafka.delivery_errors import RejectedError
from anpr.kafka.offset_reader import OffsetReader
from anpr.kafka.rejections import RETRY_SECONDS, Rejections


class RunsOnce(Protocol):
    """A recorder, whatever its rows are."""

    has_caught_up: bool

    def run_once(self, wait_seconds: float) -> None:
        """Poll one batch and commit it."""
        ...


class FollowedTopic:
    """The records of one topic on their way into a store."""

    def __init__(
        self,
        kafka: str,
        topic: str,
        group: str,
        next_offsets: Callable[[], dict[Source, int]],
        recorder_of: Callable[[OffsetReader], RunsOnce],
    ) -> None:
        """`next_offsets` says what the store holds, and `recorder_of` returns a recorder for a new reader."""
        self._kafka, self._topic, self._group = kafka, topic, group
        self._next_offsets = next_offsets
        self._recorder_of = recorder_of
        self._rejections = Rejections(f"the broker at {kafka} refuses history of {topic}")
        self._refusals = StoreRefusals()
        self._reader: OffsetReader | None = None
        self._recorder: RunsOnce | None = None
        self._has_polled = False
        self._retry_at = 0.0

    def run_once(self, wait_seconds: float) -> None:
        """Store one batch, as soon as the broker and the store let it."""
        if time.monotonic() < self._retry_at:
            time.sleep(wait_seconds)
            return
        try:
            self._recorder = self._recorder or self._open()
            self._recorder.run_once(wait_seconds)
        except RejectedError as error:
            self._rejections.note(error)
            self._give_up()
        except HistoryUnavailableError as error:
            self._refusals.note(error)
            self._give_up()
        else:
            self._rejections.clear()
            self._refusals.clear()
            self._has_polled = True

    @property
    def has_caught_up(self) -> bool:
        """Whether everything that the topic holds was stored a moment ago."""
        return self._recorder is not None and self._recorder.has_caught_up

    def why_not_ready(self) -> list[str]:
        """Return why nothing is being stored, nothing when all is well."""
        missing = [*self._rejections.why_not_ready(), *self._refusals.why_not_ready()]
        if not missing and not self._has_polled:
            missing.append(f"the broker at {self._kafka} has not answered for {self._topic} yet")
        return missing

    def close(self) -> None:
        """Disconnect from the broker."""
        if self._reader is not None:
            self._reader.close()
        self._reader, self._recorder, self._has_polled = None, None, False

    def _open(self) -> RunsOnce:
        offsets = self._next_offsets()
        self._reader = OffsetReader(
            self._kafka,
            self._topic,
            self._group,
            lambda topic_id, partition: offsets.get(Source(topic_id, partition)),
        )
        return self._recorder_of(self._reader)

    def _give_up(self) -> None:
        self.close()
        self._retry_at = time.monotonic() + RETRY_SECONDS
