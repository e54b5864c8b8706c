"""Compiles all kernels before they are needed, by matching a few reads. Not pure: machine code is kept on disk."""

from datetime import UTC, datetime

from anpr.contracts.events import NO_GENERATION, Entry, Read
from anpr.matching import kernels
from anpr.matching.compare import compare
from anpr.matching.encoding.plain_reads import ReadScanner
from anpr.matching.index import Index
from anpr.matching.read_keys import read_keys

_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def compile_kernels() -> None:
    """Compile all kernels, or take their machine code from disk: then no read has to wait for them."""
    entry = Entry(
        entry_id="1",
        revision=NO_GENERATION,
        list="example",
        plate="AB12CDE",
        country="GB",
        tolerance="near",
        valid_until=datetime.max.replace(tzinfo=UTC),
    )
    pattern = Entry(
        entry_id="2", revision=NO_GENERATION, list="example", plate="AB12*", valid_until=entry.valid_until
    )
    # One letter differs; behind country letters; in two lines.
    reads = [_read(plate) for plate in ("AB12CDF", "GBAB12CDE", "CDEAB12")]
    Index.build([entry, pattern], NO_GENERATION).match(reads)
    read_keys(reads)
    compile_scanner()
    for read in reads:
        compare(read, entry, 1)
    kernels.note_complete()


def compile_scanner() -> None:
    """Compile the kernels that scan records: a fifth of the work, which needs nothing of the rest."""
    ReadScanner("example", ["example"]).scan([b""])


def _read(plate: str) -> Read:
    return Read(read_id="1", site="example", camera="example", captured_at=_MOMENT, plate=plate, country="GB")
