"""Writes one audit chain. A record is on the disk before whoever asked gets an answer.

A chain has one writer. A crash in the middle of a record leaves a line without an end; nobody was answered for it.
The next start cuts it off, and a record of its own says so.
"""

import hashlib
import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, timedelta
from pathlib import Path

from anpr.audit.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from anpr.audit.durable_file import DurableFile
from anpr.audit.head import Head
from anpr.audit.record import (
    MOST_LINE_BYTES,
    NO_PREVIOUS,
    AuditEvent,
    AuditRecord,
    Operation,
    SealedRecord,
    seal,
    unseal,
)
from anpr.audit.segments import day_of, lines_backwards, segment_of, segments
from anpr.runtime.atomic_file import sync_folder
from anpr.runtime.clock import Clock
from anpr.runtime.errors import InputError, UnavailableError
from anpr.runtime.file_lock import hold
from anpr.runtime.logs import get_logger

log = get_logger(__name__)


class AuditChain:
    """The audit chain of one console or one history service. Any thread may append."""

    def __init__(self, path: Path, site: str, service: str, clock: Clock) -> None:
        """Go on with the chain in the folder `path`, or begin one there.

        Raises UnavailableError when the folder cannot be written, when another process writes it, or when its last
        record is not as it was written.
        """
        self._folder = path
        self._site, self._service = site, service
        self._clock = clock
        self._writing = threading.Lock()
        self._file: DurableFile | None = None
        self._head = Head(secrets.token_hex(8), 0, NO_PREVIOUS)
        with self._unavailable():
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = hold(path / "lock")
        try:
            with self._unavailable():
                self._resume()
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def service(self) -> str:
        """The name of the service whose chain this is."""
        return self._service

    @property
    def head(self) -> Head:
        """The end of the chain; sequence 0 for a chain without records."""
        return self._head

    def append(self, *events: AuditEvent) -> None:
        """Add records, and wait until the disk has all of them.

        Raises UnavailableError when that fails, and InputError for a text that is not UTF-8 or too long: then the
        chain has none of them, and the caller must not answer.
        """
        with self._writing, self._unavailable():
            self._append(events)

    def erase_until(self, last_day: date) -> int:
        """Delete the segments of the days until `last_day`, but not of today. Return how many records went.

        The chain records the deletion first, and goes on from a checkpoint. Raises UnavailableError.
        """
        with self._writing, self._unavailable():
            last_day = min(last_day, self._clock().astimezone(UTC).date() - timedelta(days=1))
            old = [segment for segment in segments(self._folder) if day_of(segment) <= last_day]
            if not old:
                return 0
            last, before = unseal(next(lines_backwards(old[-1]))), read_checkpoint(self._folder)
            count = last.record.sequence - (before.sequence if before else 0)
            details = {"records": str(count), "sequence": str(last.record.sequence), "hash": last.hash}
            self._append([self._own_event("erasure", "audit records whose retention ended", details)])
            write_checkpoint(
                self._folder,
                Checkpoint(
                    chain=last.record.chain,
                    sequence=last.record.sequence,
                    hash=last.hash,
                    last_day=day_of(old[-1]),
                ),
            )
            self._finish_erasure()
            return count

    def close(self) -> None:
        """Let another process write the chain."""
        with self._writing:
            if self._file is not None:
                self._file.close()
            os.close(self._lock)

    def _append(self, events: Iterable[AuditEvent]) -> None:
        head, now, written = self._head, self._clock(), []
        for event in events:
            record = AuditRecord(
                sequence=head.sequence + 1,
                previous=head.hash,
                chain=head.chain,
                at=now,
                site=self._site,
                service=self._service,
                event=event,
            )
            digest, line = seal(record)
            head = Head(head.chain, record.sequence, digest)
            written.append(line)
        self._segment(now.astimezone(UTC).date()).append(b"".join(written))
        self._head = head

    def _segment(self, today: date) -> DurableFile:
        """Return the segment to add to: that of today, or the newest one after the clock was set back."""
        newest = self._file
        if newest is not None and day_of(newest.path) >= today:
            return newest
        if newest is not None:
            newest.settle()
        file = DurableFile(segment_of(self._folder, today))
        sync_folder(self._folder)
        if newest is not None:
            newest.close()
        self._file = file
        return file

    def _resume(self) -> None:
        """Find the end of the chain. Cut off what a crash left unfinished, and record that."""
        self._finish_erasure()
        cut_off = b""
        for segment in reversed(segments(self._folder)):
            last, unfinished = _end_of(segment)
            cut_off = unfinished + cut_off
            if last is not None:
                self._file = DurableFile(segment)
                self._file.cut_to(segment.stat().st_size - len(unfinished))
                self._head = Head(last.record.chain, last.record.sequence, last.hash)
                break
            segment.unlink()
        else:
            if read_checkpoint(self._folder) is not None:
                raise ValueError("every segment is gone, but the checkpoint is there")
        if cut_off:
            log.warning("an unfinished audit record was cut off", bytes=len(cut_off))
            details = {"bytes": str(len(cut_off)), "sha256": hashlib.sha256(cut_off).hexdigest()}
            self._append([self._own_event("alteration", "unfinished record cut off after a crash", details)])

    def _finish_erasure(self) -> None:
        checkpoint = read_checkpoint(self._folder)
        for segment in segments(self._folder):
            if checkpoint is not None and day_of(segment) <= checkpoint.last_day:
                segment.unlink()
        sync_folder(self._folder)

    def _own_event(self, operation: Operation, what: str, details: dict[str, str]) -> AuditEvent:
        return AuditEvent(operation=operation, what=what, user=self._service, role="service", details=details)

    @contextmanager
    def _unavailable(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise UnavailableError(
                "audit-chain-in-use",
                f"another process writes the audit chain {self._folder}",
                "give each service a chain of its own: a folder of its own under audit.folder",
            ) from None
        except OSError as error:
            raise UnavailableError(
                "audit-unavailable",
                f"the audit chain {self._folder} cannot be written: {error.strerror or error}",
                "free space on the disk or correct the folder's permissions. Until then nobody gets an answer",
            ) from None
        except UnicodeEncodeError:
            # Half a surrogate pair: what a byte on the command line becomes that is not UTF-8. The chain is healthy.
            raise InputError(
                "text-not-utf-8",
                "a text has a character that is not UTF-8, so the audit cannot record it",
                "write it again, in a terminal that uses UTF-8",
            ) from None
        except OverflowError:
            raise InputError(
                "text-too-long",
                "the texts are together too long for one audit record",
                f"write them shorter: a record has at most {MOST_LINE_BYTES // 1024} KiB",
            ) from None
        except ValueError as error:
            raise UnavailableError(
                "audit-chain-broken",
                f"the audit chain {self._folder} cannot go on: {error}",
                "run `anpr audit verify`. Then rename the folder and leave it there for auditors: a new chain begins",
            ) from None


def _end_of(segment: Path) -> tuple[SealedRecord | None, bytes]:
    """Return the last whole record of a segment, and the unfinished bytes behind it.

    Raises ValueError when its last whole line is no record. A line with NUL is not whole: a power cut left a hole.
    """
    unfinished = b""
    for line in lines_backwards(segment):
        if line.endswith(b"\n") and b"\0" not in line:
            return unseal(line), unfinished
        unfinished = line + unfinished
    return None, unfinished
