"""Reads the chains of a site, the newest record first, a page at a time. Services go on writing meanwhile.

A page is found by walking backwards, so that nothing but the page is in memory. One page looks at a bounded number of
records; the next one goes on from there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from anpr.audit.folders import chain_folders
from anpr.audit.query import AuditQuery
from anpr.audit.record import AuditRecord, unseal
from anpr.audit.segments import day_of, lines, lines_backwards, segments
from anpr.runtime.errors import InputError, UnavailableError

PAGE_RECORDS: Final = 100
MOST_EXAMINED: Final = 100_000


class AuditPage(NamedTuple):
    """Some records, the newest first.

    Attributes:
        next: Where the next page goes on; "" when there is none.
        searched_until: How far back this page looked, when it stopped early; None when it is whole.
        unreadable: How many lines are no audit records: a verification says more.
    """

    records: list[AuditRecord]
    next: str
    searched_until: datetime | None
    unreadable: int


def search(
    folder: Path,
    query: AuditQuery,
    after: str = "",
    *,
    page_records: int = PAGE_RECORDS,
    most_examined: int = MOST_EXAMINED,
) -> AuditPage:
    """Return a page of the records in the chains of a folder. `after` is `next` of the page before.

    Raises UnavailableError when the folder cannot be read, InputError for an `after` that no page gave.
    """
    with _unavailable(folder):
        positions = _positions(after) if after else None
        walks = [
            _BackwardWalk(chain, query, None if positions is None else positions.get(chain.name, 0))
            for chain in chain_folders(folder)
        ]
        found: list[AuditRecord] = []
        searched_until = None
        for _ in range(most_examined):
            walk = max((walk for walk in walks if walk.record), key=_BackwardWalk.at, default=None)
            if walk is None or walk.record is None:
                return AuditPage(found, "", None, _unreadable(walks))
            if query.fits(walk.record):
                if len(found) == page_records:
                    return AuditPage(found, _as_text(walks), None, _unreadable(walks))
                found.append(walk.record)
            searched_until = walk.record.at
            walk.step()
        return AuditPage(found, _as_text(walks), searched_until, _unreadable(walks))


class _BackwardWalk:
    """A walk through one chain, from its newest record backwards. `record` is the next one, None at the end."""

    def __init__(self, chain: Path, query: AuditQuery, before: int | None) -> None:
        """Begin with the newest record whose sequence number is below `before`."""
        self.name = chain.name
        self.record: AuditRecord | None = None
        self.unreadable = 0
        self._lines = _lines_backwards(chain, query, before)
        self.step()
        while before is not None and self.record is not None and self.record.sequence >= before:
            self.step()

    def at(self) -> datetime:
        """Return the time of the next record."""
        return self.record.at if self.record else datetime.min.replace(tzinfo=UTC)

    def step(self) -> None:
        """Go on to the record before."""
        self.record = None
        for line in self._lines:
            try:
                self.record = unseal(line).record
            except ValueError:
                self.unreadable += 1
            else:
                return


def _lines_backwards(chain: Path, query: AuditQuery, before: int | None) -> Iterator[bytes]:
    """Yield the lines of the segments that may hold what is asked for, backwards.

    No record is of a later day than its segment.
    """
    for segment in reversed(segments(chain)):
        if day_of(segment) < query.since.astimezone(UTC).date():
            return
        if before is not None and _begins_at(segment) >= before:
            continue
        for line in lines_backwards(segment):
            if line.endswith(b"\n"):  # else its writer is writing it
                yield line


def _begins_at(segment: Path) -> int:
    """Return the sequence number of the first record of a segment; 0 when it cannot be read."""
    try:
        return unseal(next(lines(segment), b"")).record.sequence
    except ValueError:
        return 0


def _unreadable(walks: list[_BackwardWalk]) -> int:
    return sum(walk.unreadable for walk in walks)


def _as_text(walks: list[_BackwardWalk]) -> str:
    return ",".join(f"{walk.name}:{walk.record.sequence + 1}" for walk in walks if walk.record)


def _positions(text: str) -> dict[str, int]:
    try:
        pairs = [part.rpartition(":") for part in text.split(",")]
        return {name: int(number) for name, _, number in pairs}
    except ValueError:
        raise InputError(
            "audit-page-unknown", "there is no such page of the audit log", "begin again at its first page"
        ) from None


@contextmanager
def _unavailable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            "audit-unreadable",
            f"the audit chains in {folder} cannot be read: {error.strerror or error}",
            "name a folder with audit chains that this user may read",
        ) from None
