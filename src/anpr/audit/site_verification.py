"""Verifies the chains of a site in a folder: each by itself, and against the heads that other sites keep."""

from collections.abc import Collection, Iterator
from pathlib import Path

from msgspec import Struct

from anpr.audit.checkpoint import Checkpoint, read_checkpoint
from anpr.audit.folders import chain_folders
from anpr.audit.head import Head
from anpr.audit.older_log import is_altered, is_take_over
from anpr.audit.record import AuditEvent, unseal
from anpr.audit.segments import lines, segments
from anpr.audit.verification import Fault, LinePosition, Verdict, verify
from anpr.contracts.events import AuditHead


class ChainReport(Struct, frozen=True, kw_only=True):
    """What the verification of one chain found.

    Attributes:
        service: The name of the chain's folder.
        chain: The id of the chain, "" for one without a record.
        first: The number of the first record that is there: above 1 after retention.
        last: The number of the last record, or of the last one before the fault.
        confirmed: The number of the last record whose hash others keep; 0 when none was compared.
        faulty: The number of the first record that is not as it was written; 0 when all are. It is 1 when nobody can
            say where the chain begins: all of it is gone, or its checkpoint is not as it was written.
        fault: What is wrong with it, and where; "" when nothing is.
        is_unfinished: Whether a record at the end is being written, or a crash left it.
    """

    service: str
    chain: str = ""
    first: int = 0
    last: int = 0
    confirmed: int = 0
    faulty: int = 0
    fault: str = ""
    is_unfinished: bool = False


def verify_site(folder: Path, heads: Collection[AuditHead], machine: str = "") -> list[ChainReport]:
    """Verify every chain in a folder. `heads` are those that other sites keep of this site's chains.

    A chain that is not in the folder, but of which others keep heads, is reported if its machine has a chain here or
    is `machine`: the chains of other machines are elsewhere. Raises OSError.
    """
    folders = chain_folders(folder)
    reports = [verify_chain(chain, heads) for chain in folders]
    machines = {machine, *(_machine(chain.name) for chain in folders)}
    here = {report.chain for report in reports}
    # A chain whose id cannot be read is there, and is faulty already.
    unnamed = {report.service for report in reports if not report.chain and report.fault}
    missing: dict[str, AuditHead] = {}
    for head in sorted(heads, key=lambda head: head.sequence):
        if head.chain not in here and head.service not in unnamed and _machine(head.service) in machines:
            missing[head.chain] = head
    return reports + [
        ChainReport(
            service=head.service,
            chain=head.chain,
            faulty=1,
            fault=f"removed: the whole chain is gone, but the hash of record {head.sequence} is kept",
        )
        for head in missing.values()
    ]


def verify_chain(folder: Path, heads: Collection[AuditHead]) -> ChainReport:
    """Verify one chain. Raises OSError."""
    # The id is needed first: heads of other chains do not count.
    chain = next((sealed for line in _all_lines(folder) if (sealed := _chain_of(line))), "")
    try:
        checkpoint = read_checkpoint(folder)
    except ValueError:
        what = "checkpoint.json is not as it was written"
        return ChainReport(service=folder.name, chain=chain, faulty=1, fault=what)
    if checkpoint and not chain:
        chain = checkpoint.chain
    walk = _ChainLines(folder)
    deleted = Head(checkpoint.chain, checkpoint.sequence, checkpoint.hash) if checkpoint else None
    kept = [Head(head.chain, head.sequence, head.hash) for head in heads if head.chain == chain]
    verdict = verify(walk, deleted=deleted, heads=kept)
    fault = verdict.fault or walk.fault(checkpoint, verdict)
    return ChainReport(
        service=folder.name,
        chain=chain,
        first=verdict.first,
        last=verdict.last,
        confirmed=verdict.confirmed if kept else 0,
        faulty=fault.sequence if fault else 0,
        fault=str(fault) if fault else "",
        is_unfinished=walk.is_unfinished,
    )


class _ChainLines:
    """The lines of a chain with their places. On the way it notes what the records say of files beside the chain."""

    def __init__(self, folder: Path) -> None:
        self.is_unfinished = False
        self._folder = folder
        self._erasures: set[tuple[str | None, str | None]] = set()
        self._erased: set[str | None] = set()
        self._older_logs: list[tuple[int, AuditEvent]] = []

    def __iter__(self) -> Iterator[tuple[LinePosition, bytes]]:
        files = segments(self._folder)
        for segment in files:
            for number, line in enumerate(lines(segment), 1):
                if segment == files[-1] and not line.endswith(b"\n"):
                    self.is_unfinished = True
                else:
                    self._note(line)
                    yield LinePosition(segment.name, number), line

    def fault(self, checkpoint: Checkpoint | None, verdict: Verdict) -> Fault | None:
        """Return what does not fit the records: a checkpoint that none made, or an older log that was changed."""
        if checkpoint and (str(checkpoint.sequence), checkpoint.hash) not in self._erasures:
            return Fault(verdict.first, "removed: no record says that the ones before it were deleted")
        for sequence, event in self._older_logs:
            if event.details["kept_as"] not in self._erased and is_altered(self._folder.parent, event):
                return Fault(sequence, f"the older log {event.details['kept_as']} was changed or removed")
        return None

    def _note(self, line: bytes) -> None:
        if b'"erasure"' not in line and b'"kept_as"' not in line:
            return
        try:
            record = unseal(line).record
        except ValueError:
            return  # the verification names it
        if record.event.operation == "erasure":
            self._erasures.add((record.event.details.get("sequence"), record.event.details.get("hash")))
            self._erased.add(record.event.details.get("erased"))
        elif is_take_over(record.event):
            self._older_logs.append((record.sequence, record.event))


def _all_lines(folder: Path) -> Iterator[bytes]:
    for segment in segments(folder):
        yield from lines(segment)


def _chain_of(line: bytes) -> str:
    try:
        return unseal(line).record.chain
    except ValueError:
        return ""


def _machine(service: str) -> str:
    """Return the machine in the name of a service such as `console-1.lane-pc`."""
    return service.partition(".")[2]
