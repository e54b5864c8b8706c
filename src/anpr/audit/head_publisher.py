"""Publishes the heads of a site's chains on the site's own topic.

It publishes those of all chains on this machine, so that those of commands, which end at once, are among them.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from anpr.audit.folders import chain_folders
from anpr.audit.record import unseal
from anpr.audit.segments import lines_backwards, segments
from anpr.contracts import topics
from anpr.contracts.events import AuditHead, encode
from anpr.kafka.delivery_errors import UndeliveredError
from anpr.kafka.interfaces import Producer
from anpr.runtime.clock import Clock
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_FLUSH_SECONDS = 2


class HeadPublisher:
    """Publishes the heads of one site's chains on this machine."""

    def __init__(self, site: str, folder: Path, open_producer: Callable[[], Producer], clock: Clock) -> None:
        """Publish the heads of the chains in `folder` on the site's own topic."""
        self._topic = topics.audit_heads(site)
        self._folder = folder
        self._open_producer = open_producer
        self._clock = clock
        self._producer: Producer | None = None

    def run_once(self) -> None:
        """Publish every head. What the broker refuses is logged; the next hour has newer heads."""
        try:
            heads = heads_in(self._folder, self._clock)
            self._producer = self._producer or self._open_producer()
            for head in heads:
                self._producer.produce(self._topic, head.chain, encode(head))
            if waiting := self._producer.flush(_FLUSH_SECONDS):
                log.warning("audit heads wait for the broker", heads=waiting)
        except UndeliveredError as error:
            log.warning("the broker refused audit heads", code=error.code, reason=str(error))
            self._producer = None
        except OSError as error:
            log.warning("audit heads cannot be read", error=error.strerror)


def heads_in(folder: Path, clock: Clock) -> list[AuditHead]:
    """Return the heads of the chains in a folder. Raises OSError."""
    heads = []
    for chain in chain_folders(folder):
        for segment in reversed(segments(chain)):
            with suppress(StopIteration, ValueError):
                line = next(line for line in lines_backwards(segment) if line.endswith(b"\n"))
                digest, record = unseal(line)
                heads.append(
                    AuditHead(
                        site=record.site,
                        service=record.service,
                        chain=record.chain,
                        sequence=record.sequence,
                        hash=digest,
                        at=clock(),
                    )
                )
                break
    return heads
