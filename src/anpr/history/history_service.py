"""History as a service on real servers: it goes on from what is stored whenever the broker or the store refuses."""

import threading

from anpr.contracts import topics
from anpr.history.database import HistoryUnavailableError
from anpr.history.recorder import Recorder
from anpr.history.sighting import Source
from anpr.history.stores import open_sightings
from anpr.kafka.delivery_errors import RejectedError
from anpr.kafka.offset_reader import OffsetReader
from anpr.kafka.rejections import RETRY_SECONDS, Rejections
from anpr.runtime.health import Health
from anpr.runtime.logs import get_logger
from anpr.runtime.settings import Settings

log = get_logger(__name__)


class HistoryService:
    """One history service of a site. `health` says why it is not ready, from any thread."""

    def __init__(self, settings: Settings, site: str, stop: threading.Event) -> None:
        """Keep the site's sightings until `stop` is set.

        Raises InputError for a store of another schema version, UnavailableError where it cannot be used.
        """
        self.health = Health("history", self._missing)
        self._site = site
        self._kafka = settings.sites[site].kafka
        self._stop = stop
        self._rejections = Rejections(f"the broker at {self._kafka} refuses history")
        self._store = open_sightings(settings, site)
        self._refusal = ""
        self._has_read = False

    def run(self) -> None:
        """Keep sightings until it is time to stop."""
        log.info("history runs")
        try:
            while not self._stop.is_set():
                self._run_until_refused()
                self._stop.wait(RETRY_SECONDS)
        finally:
            self._store.close()
        log.info("history stopped in order")

    def _run_until_refused(self) -> None:
        """Read on from what is stored, until the broker or the store refuses or it is time to stop."""
        self.health.heartbeat()
        try:
            self._record()
        except RejectedError as error:
            self._rejections.note(error)
        except HistoryUnavailableError as error:
            self._note_refusal(error)

    def _record(self) -> None:
        offsets = self._store.next_offsets()
        reader = OffsetReader(
            self._kafka,
            topics.reads(self._site),
            f"anpr-history-{self._site}",
            lambda topic_id, partition: offsets.get(Source(topic_id, partition)),
        )
        recorder = Recorder(self._site, reader, self._store)
        try:
            while not self._stop.is_set():
                self.health.heartbeat()
                recorder.run_once()
                self._refusal, self._has_read = "", True
                self._rejections.clear()
        finally:
            self._has_read = False
            reader.close()

    def _note_refusal(self, error: HistoryUnavailableError) -> None:
        """Log what the store refuses when it begins."""
        if str(error) != self._refusal:
            log.error("the store refuses, trying again", code=error.code, error=str(error), next_step=error.next_step)
        self._refusal = str(error)

    def _missing(self) -> list[str]:
        """Return why sightings are not being stored."""
        missing = self._rejections.missing()
        if self._refusal:
            missing.append(self._refusal)
        if not missing and not self._has_read:
            missing.append(f"the broker at {self._kafka} has not answered yet")
        return missing
