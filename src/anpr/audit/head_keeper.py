"""Keeps the heads of the other sites' chains, so that a chain that was cut off or written anew is found out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from anpr.audit.kept_heads import FOLDER, KeptHeads
from anpr.contracts import topics
from anpr.contracts.events import AuditHead, Undecodable, decode_audit_head
from anpr.kafka.interfaces import Record, Tail
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

_POLL_SECONDS = 0.5

# Opens topics at a broker's address.
OpenTail = Callable[[str, Sequence[str]], Tail]


class HeadKeeper:
    """Keeps the heads of the other sites, for one site."""

    def __init__(self, folder: Path, kafka_of: Mapping[str, str], open_tail: OpenTail) -> None:
        """Keep them in a folder of the site's audit folder. `kafka_of` holds the broker of each other site."""
        self._folder = folder / FOLDER
        self._kafka_of = kafka_of
        self._open_tail = open_tail
        self._tails: list[Tail] = []
        self._kept: KeptHeads | None = None
        self._site_of = {topics.audit_heads(site): site for site in kafka_of}

    def run_once(self) -> None:
        """Keep what has come. Where another process keeps the heads of this machine, do nothing."""
        try:
            if self._kept is None:
                self._kept = KeptHeads(self._folder)
                self._tails = self._open()
            for tail in self._tails:
                while records := tail.poll(_POLL_SECONDS):
                    self._kept.keep([head for record in records for head in self._head_of(record)])
        except BlockingIOError:
            return
        except OSError as error:
            log.warning("audit heads cannot be kept", error=error.strerror)
            self.close()

    def close(self) -> None:
        """Disconnect."""
        for tail in self._tails:
            tail.close()
        if self._kept is not None:
            self._kept.close()
        self._tails, self._kept = [], None

    def _open(self) -> list[Tail]:
        topics_at: dict[str, list[str]] = {}
        for site, address in self._kafka_of.items():
            topics_at.setdefault(address, []).append(topics.audit_heads(site))
        return [self._open_tail(address, names) for address, names in topics_at.items()]

    def _head_of(self, record: Record) -> Iterator[AuditHead]:
        """Yield the head in a record: none for a record that is no head, or that names another site."""
        with suppress(*Undecodable):
            head = decode_audit_head(record.value or b"")
            if head.site == self._site_of[record.topic]:
                yield head
