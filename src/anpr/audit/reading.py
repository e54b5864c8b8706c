"""Reads the records of a site's chains from the oldest to the newest, without holding more than one of each chain."""

import heapq
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import NamedTuple

from anpr.audit.folders import chain_folders
from anpr.audit.query import AuditQuery
from anpr.audit.record import SealedRecord, unseal
from anpr.audit.segments import day_of, lines, segments


class FoundRecord(NamedTuple):
    """A record that was asked for, and its line as it is in the chain."""

    sealed: SealedRecord
    line: bytes


def records_of(folder: Path, query: AuditQuery) -> Iterator[FoundRecord]:
    """Yield the records that are asked for, of all chains in a folder, the oldest first.

    A line that is no record is left out: a verification names it. Raises OSError.
    """
    chains = [_records(chain, query) for chain in chain_folders(folder)]
    yield from heapq.merge(*chains, key=lambda found: found.sealed.record.at)


def _records(chain: Path, query: AuditQuery) -> Iterator[FoundRecord]:
    for segment in segments(chain):
        if day_of(segment) < query.since.astimezone(UTC).date():
            continue
        for line in lines(segment):
            try:
                sealed = unseal(line)
            except ValueError:
                continue
            if query.fits(sealed.record):
                yield FoundRecord(sealed, line)
