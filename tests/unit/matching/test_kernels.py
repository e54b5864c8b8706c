"""Kernels are compiled once, at installation, for the types that all services use."""

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from numba.core import config, event

from anpr.contracts.events import Candidate, encode
from anpr.index_store.index_file import decode_delta, decode_snapshot, encode_delta, encode_snapshot
from anpr.matching import kernels
from anpr.matching.compare import compare
from anpr.matching.compiling import compile_kernels
from anpr.matching.encoding.plain_reads import ReadScanner
from anpr.matching.index import Index
from anpr.matching.lookup import plate_table
from anpr.matching.read_keys import read_keys
from anpr.matching.read_texts import texts_of
from tests.support.strategies import a_read, an_entry, generation

WITHOUT_MATCHING = ("arrivals", "audit", "console", "send", "topics", "users", "vehicle", "watch")
OF_WATCHLIST = ("add", "apply", "export", "keep", "log", "remove", "rollback", "show")
ENTRIES = [
    *(an_entry(plate, plate=plate, country=country, tolerance="near") for plate in ("AB12CDE", "MAB1234", "1234567")
      for country in ("GB",)),
    an_entry("pattern", plate="AB?2*"),
]  # fmt: skip
READS = [
    a_read("plain", plate="AB12CDE", country="GB"),
    a_read("sure", plate="A812CDF", country="GB", confidence=0.5, char_confidences=(0.9,) * 7),
    a_read("long", plate="DMAB1234"),
    a_read(
        "twice", plate="12345671234567", candidates=(Candidate(plate="CDEAB12"), Candidate(plate="A", confidence=1))
    ),
    a_read("none", plate="-"),
]
# As long as a text of a plate can be, with words at both ends, in halves, in one letter.
LONGEST_READS = [
    a_read("words", plate="UKAB12CDEGB75", candidates=(Candidate(plate="GBUKAB12CDEF6275"),)),
    a_read("halves", plate="AB12CDEFAB12CDEG", char_confidences=(0.1,) * 16),
    a_read("one", plate="1111111111111111", confidence=0.1, country="DE"),
    a_read("umlauts", plate="AEOEUEAEOEUEAE12", country="DE"),
]


# Each of them ends where the scan may go on, or goes to a limit.
FULL = encode(
    a_read(
        camera="camera-1",
        plate="B" * 15 + "1",
        candidates=(Candidate(plate="2" * 64, confidence=1),) * 16,
        char_confidences=(0.5,) * 64,
        country="GB",
        confidence=0.123456789012345678,
    )
)
RECORDS = [
    FULL,
    *(FULL[:length] for length in range(0, len(FULL), 7)),
    *(encode(a_read(camera="camera-1", plate="1" * length)) for length in (16, 17, 64, 65)),
    encode(a_read(camera="camera-1")) + b" " * 10_000,
    b'{"plate":0.' + b"1" * 20,
    b"[" * 20,
    b'{"camera":"',
    b'"',
]  # fmt: skip


def run(code: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **(environment or {})}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables, check=False)


def test_services_that_do_not_match_never_import_the_compiler() -> None:
    modules = [*WITHOUT_MATCHING, *(f"watchlist.{command}" for command in OF_WATCHLIST)]
    imports = "; ".join(f"import anpr.cli.{module}" for module in modules)
    result = run(f"import sys; {imports}; print('numba' in sys.modules, 'llvmlite' in sys.modules)")
    assert result.stdout.split() == ["False", "False"], result.stderr


def test_nothing_is_compiled_after_the_kernels_were_compiled_at_installation() -> None:
    """A kernel is compiled for the types of its arguments: other types would compile it when a read waits."""
    compile_kernels()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    built = Index.build(ENTRIES, generation(1))
    mapped = decode_snapshot(memoryview(b"".join(encode_snapshot(built, now)))).index
    changed = mapped.with_changes([an_entry("new", plate="XY99XYZ")], ["MAB1234"], generation(2))
    delta = decode_delta(memoryview(b"".join(encode_delta(changed, now))))
    followed = delta.index([mapped.snapshot], mapped.generation)
    scanner = ReadScanner("calais", ["camera-1"])
    with event.install_recorder("numba:compile") as recorder:
        for values in ([], [b""], RECORDS):
            scanner.scan(values)
        for index in (built, mapped, changed, followed, Index.build([], generation(1))):
            assert len(index.match(READS)) == len(READS)
            for read in (*READS, *LONGEST_READS):
                index.match([read])
                index.may_match(texts_of([read]).columns)
            index.match([])
        read_keys(READS)
        for read in READS[:4]:
            for entry in ENTRIES:
                compare(read, entry, 1_000)
    assert [kernel.data["dispatcher"] for _, kernel in recorder.buffer] == []


def test_a_process_that_finds_machine_code_on_disk_does_not_load_what_compiling_needs() -> None:
    """That takes half a second of a processor for each matcher: what Numba knows about arrays is a part of it."""
    compile_kernels()
    code = "import sys; from anpr.matching.compiling import compile_kernels; compile_kernels(); print(*sys.modules)"
    result = run(code)
    assert "numba" in result.stdout.split(), result.stderr
    assert "numba.np.arrayobj" not in result.stdout.split()


def test_an_installation_that_cannot_be_written_compiles_for_itself() -> None:
    code = """
import sys
sys.prefix = "/dev/null"
from anpr.matching import kernels
import numpy as np
assert not kernels.are_compiled()
double = kernels.kernel(lambda number: 2 * number)
print(double(4))
"""
    result = run(code)
    assert result.stdout == "8\n", result.stderr
    assert "anpr compile" in result.stderr


def test_kernels_stay_within_their_arrays() -> None:
    """As Python they raise an error at an index behind an array; compiled they would read what is there."""
    code = """
import numpy as np
from tests.unit.matching.test_kernels import ENTRIES, LONGEST_READS, READS, RECORDS, generation
from anpr.matching import kernels
from anpr.matching.compare import compare
from anpr.matching.encoding.plain_reads import ReadScanner
from anpr.matching.index import Index
from anpr.matching.lookup import plate_table
from anpr.matching.read_keys import read_keys
from anpr.matching.read_texts import texts_of
np.seterr(over="ignore")  # hashes are products of which the lowest bits count
reads = READS + LONGEST_READS
for entries in (ENTRIES, []):
    index = Index.build(entries, generation(1))
    print(sum(map(bool, index.match(reads))), sum(bool(index.match([read])[0]) for read in reads))
print(sum(map(bool, read_keys(reads))))
for entry in ENTRIES:
    compare(READS[0], entry, 1_000)
scanner = ReadScanner("calais", ["camera-1"])
print(sum(scanner.scan([record]).are_plain[0] for record in RECORDS), scanner.scan(RECORDS).are_plain.sum())
"""
    result = run(code, {"NUMBA_DISABLE_JIT": "1"})
    assert result.stdout.split() == ["5", "5", "0", "0", "8", "2", "2"], result.stderr


def test_a_list_is_searched_by_machine_code_only_with_tables_that_were_searched_before() -> None:
    """The first search with some tables looks at their types, and later ones trust it."""
    index = Index.build(ENTRIES, generation(1))
    plates = index.layers[0].tables.plates
    first = index.match(READS)
    known_model, search = plates.known
    assert known_model is index.likelihood.tables
    assert search is kernels.machine_code(plate_table._search)
    assert index.match(READS) == first
    other = Index.build([*ENTRIES, *(an_entry(f"n{n}", plate=f"XY{n}XYZ") for n in range(2_000))], generation(1))
    assert plates.known[0] is not other.likelihood.tables
    plates.search(texts_of(READS).columns, other.likelihood)
    assert plates.known[0] is other.likelihood.tables


def test_where_bounds_are_checked_every_call_looks_at_the_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "BOUNDSCHECK", 1)
    assert kernels.machine_code(plate_table._search) is plate_table._search
