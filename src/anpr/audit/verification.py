"""Whether a chain is as it was written: names the first record that was changed, removed, moved or inserted. Pure.

A chain alone cannot show that its tail was cut off, or that it was written anew from some record on. The heads that
others keep show both.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from anpr.audit.head import Head
from anpr.audit.record import NO_PREVIOUS, AuditRecord, unseal


class LinePosition(NamedTuple):
    """Where a line stands: the name of its file, and its number there from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file} line {self.line}"


class Fault(NamedTuple):
    """The first record that is not as it was written: its sequence number, and where it is or was found missing."""

    sequence: int
    what: str
    position: LinePosition | None = None

    def __str__(self) -> str:
        return f"record {self.sequence}: {self.what}" + (f" ({self.position})" if self.position else "")


class Verdict(NamedTuple):
    """What a verification found.

    Attributes:
        fault: The first fault; None for a chain that is whole.
        chain: The id of the chain, "" for one without records.
        first: The sequence number of the first record that is there, 0 for a chain without records.
        last: That of the last record, or of the last one before the fault.
        confirmed: The last sequence number whose hash others keep, 0 when they keep none.
    """

    fault: Fault | None
    chain: str = ""
    first: int = 0
    last: int = 0
    confirmed: int = 0


class _FaultFoundError(Exception):
    def __init__(self, sequence: int, what: str, position: LinePosition | None = None) -> None:
        super().__init__()
        self.fault = Fault(sequence, what, position)


def verify(lines: Iterable[tuple[LinePosition, bytes]], *, deleted: Head | None, heads: Collection[Head]) -> Verdict:
    """Walk along the lines of a chain.

    `deleted` is the last record that retention deleted. `heads` are the heads of this chain that others keep.
    """
    verifier = _Verifier(deleted)
    try:
        verifier.keep(heads)
        for position, line in lines:
            verifier.step(position, line)
        verifier.end()
    except _FaultFoundError as found:
        return Verdict(found.fault, verifier.chain, verifier.first, verifier.last, verifier.confirmed)
    return Verdict(None, verifier.chain, verifier.first, verifier.last, verifier.confirmed)


class _Verifier:
    """How far a chain is verified. Each method raises _FaultFoundError at the first fault."""

    def __init__(self, deleted: Head | None) -> None:
        self.chain, self.first, self.last, self.confirmed = "", 0, 0, 0
        self._deleted = deleted
        self._hashes: dict[int, str] = {deleted.sequence: deleted.hash} if deleted else {}
        self._last_hash = ""
        self._last_position: LinePosition | None = None

    def keep(self, heads: Collection[Head]) -> None:
        """Take the heads that others keep."""
        for head in heads:
            if self._hashes.setdefault(head.sequence, head.hash) != head.hash:
                raise _FaultFoundError(head.sequence, "others keep two different hashes of it")

    def step(self, position: LinePosition, line: bytes) -> None:
        """Verify the next record."""
        expected = self.last + 1 if self.last else self._deleted.sequence + 1 if self._deleted else 1
        try:
            sealed = unseal(line)
        except ValueError as error:
            raise _FaultFoundError(expected, f"changed: {error}", position) from None
        record = sealed.record
        if not self.last:
            self._start(record, expected, position)
        else:
            self._follow(record, expected, position)
        self._compare(record.sequence, sealed.hash, position)
        self.last, self._last_hash, self._last_position = record.sequence, sealed.hash, position

    def end(self) -> None:
        """Verify that nothing is missing behind the last record."""
        if self._deleted and self.last == 0:
            raise _FaultFoundError(self._deleted.sequence + 1, "removed: nothing is left behind the checkpoint")
        kept_until = max(self._hashes, default=0)
        if kept_until > self.last:
            what = f"removed: the chain ends before it, but the hash of record {kept_until} is kept"
            raise _FaultFoundError(self.last + 1, what)

    def _start(self, record: AuditRecord, expected: int, position: LinePosition) -> None:
        """Verify the first record that is there. Segments that retention has not deleted yet may come before."""
        self.chain, self.first = record.chain, record.sequence
        if record.sequence > expected or (record.sequence < expected and self._deleted is None):
            raise _FaultFoundError(expected, f"removed: record {record.sequence} is the first one", position)
        before = self._hashes.get(record.sequence - 1, record.previous) if record.sequence > 1 else NO_PREVIOUS
        if record.previous != before:
            raise _FaultFoundError(record.sequence, "changed: it does not follow what was before it", position)

    def _follow(self, record: AuditRecord, expected: int, position: LinePosition) -> None:
        """Verify that a record is the next one of this chain."""
        if record.chain != self.chain:
            raise _FaultFoundError(expected, f"a record of another chain, {record.chain}, is in its place", position)
        if record.sequence == self.last:
            raise _FaultFoundError(self.last, "there are two of it: one was inserted", position)
        if record.sequence != expected:
            what = "removed or moved" if record.sequence > expected else "another one was inserted or moved"
            raise _FaultFoundError(expected, f"{what}: record {record.sequence} is in its place", position)
        if record.previous != self._last_hash:
            if self.last == self.confirmed:
                raise _FaultFoundError(expected, "changed: it does not follow the record before it", position)
            raise _FaultFoundError(
                self.last, f"changed: record {expected} holds another hash of it", self._last_position
            )

    def _compare(self, sequence: int, digest: str, position: LinePosition) -> None:
        """Compare a record with the heads that others keep."""
        if sequence not in self._hashes:
            return
        if self._hashes[sequence] != digest:
            first = max(self.confirmed + 1, self.first)
            if first == sequence:
                raise _FaultFoundError(first, "changed: others keep another hash of it", position)
            what = f"changed, or a later one up to record {sequence}: others keep another hash of that"
            raise _FaultFoundError(first, what)
        self.confirmed = sequence
