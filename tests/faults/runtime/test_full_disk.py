"""Every file that this program writes, on a full disk of 64 kB.

Each is there as a whole, or as it was. The error has a code and names the file. When there is space again, everything
goes on. What services do while their disks are full is in `faults/gateway/test_disk_full.py`.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from anpr.audit.chain import AuditChain
from anpr.audit.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from anpr.audit.kept_heads import KeptHeads, read_heads
from anpr.audit.record import AuditEvent, unseal
from anpr.audit.segments import lines, segments
from anpr.back_check.progress_file import ProgressFile
from anpr.back_check.search import Progress
from anpr.cli import data_subject, vehicle
from anpr.console.auth.users_file import User, UsersFile
from anpr.contracts.events import AuditHead
from anpr.gateway.spool import Spool
from anpr.history.erased_reads import ErasedReads
from anpr.history.sighting import identity_digest
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import ERASED_TABLES, SIGHTING_TABLES
from anpr.history.sqlite_days import SqliteDays
from anpr.index_store.folder import IndexFolder, IndexManifest
from anpr.matching import kernels
from anpr.matching.index import Index
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import AnprError
from anpr.runtime.images import ImageStore
from anpr.runtime.site_tokens import SiteTokensFile
from anpr.watchlist import plan_file
from anpr.watchlist.plan import Plan
from anpr.watchlist.store.manifest import Manifest
from tests.support.history import everything, read_record, record_all
from tests.support.small_disk import SmallDisk, small_disk
from tests.support.strategies import NOON, a_read, an_entry, generation

MOST_WRITES = 500


class Writer(NamedTuple):
    """What writes a file: `write` writes the item of a number, and `kept` reads the numbers that are there.

    `code` is that of the error of a full disk; without one it is an OSError, which the caller knows what to do with.
    """

    write: Callable[[int], object]
    kept: Callable[[], Sequence[int]]
    code: str = ""
    close: Callable[[], None] = lambda: None


def a_plan(folder: Path) -> Writer:
    file = folder / "plan.json"

    def write(number: int) -> None:
        made = Plan(
            list="stolen",
            file="list.csv",
            encoding="utf-8",
            file_sha256="0" * 64,
            made_at=NOON,
            made_by="test",
            planned_against=generation(1),
            is_first_list=False,
            confirm_removals=None,
            warnings=(),
            refused_lines=(),
            sample=(),
            entries_before=0,
            entries_after=number,
            added=number,
            changed=0,
            removed=0,
            unchanged=0,
            expired=0,
            duplicates=0,
            refused=0,
            removed_as_refused=0,
        )
        plan_file.write(file, made)

    return Writer(write, lambda: [plan_file.read(file).added], "plan-unwritable")


def users(folder: Path) -> Writer:
    def write(number: int) -> None:
        UsersFile(folder / "users.json").save(User(name=f"u{number}", role="officer", password_hash="x" * 90))

    def kept() -> list[int]:
        return sorted(int(name[1:]) for name in UsersFile(folder / "users.json").users())

    return Writer(write, kept, "users-file-unwritable")


def tokens(folder: Path) -> Writer:
    def write(number: int) -> None:
        SiteTokensFile(folder / "tokens.json").hold(f"s{number}.calais.{'x' * 43}")

    def kept() -> list[int]:
        return sorted(int(one.asking[1:]) for one in SiteTokensFile(folder / "tokens.json").tokens().held)

    return Writer(write, kept, "site-tokens-unusable")


def back_check_progress(folder: Path) -> Writer:
    file = ProgressFile(folder / "back-check.json")
    return Writer(
        lambda number: file.save(Progress(checked=generation(number + 1))),
        lambda: [file.load().checked.number - 1],
        "history-store",
    )


def audit_chain(folder: Path) -> Writer:
    chain = AuditChain(folder / "console-1", "calais", "console-1", lambda: NOON)

    def write(number: int) -> None:
        chain.append(AuditEvent(operation="sign-in", what=str(number), user="ann", role="officer", reason="x" * 90))

    def kept() -> list[int]:
        (segment,) = segments(folder / "console-1")
        return [int(unseal(line).record.event.what) for line in lines(segment)]

    return Writer(write, kept, "audit-unavailable", chain.close)


def audit_checkpoint(folder: Path) -> Writer:
    def write(number: int) -> None:
        write_checkpoint(folder, Checkpoint(chain="c", sequence=number, hash="0" * 64, last_day=NOON.date()))

    def kept() -> list[int]:
        checkpoint = read_checkpoint(folder)
        return [] if checkpoint is None else [checkpoint.sequence]

    return Writer(write, kept)


def audit_heads(folder: Path) -> Writer:
    def write(number: int) -> None:
        with closing(KeptHeads(folder)) as heads:
            heads.keep([AuditHead(site="dover", service="s", chain="c", sequence=number + 1, hash="0" * 64, at=NOON)])

    return Writer(write, lambda: [head.sequence - 1 for head in read_heads(folder / "dover.jsonl")])


def spool(folder: Path) -> Writer:
    opened = Spool(folder / "send.sqlite")
    return Writer(
        lambda number: opened.append([(None, f"{number} {'x' * 500}".encode())]),
        lambda: [int(one.line.split()[0]) for one in opened.lines_after(0, MOST_WRITES)],
        "spool-unusable",
        opened.close,
    )


def index(folder: Path) -> Writer:
    files = IndexFolder(folder)

    def write(number: int) -> None:
        of = generation(number + 1)
        name = files.write_snapshot(Index.build([an_entry()], of), NOON)
        files.activate(IndexManifest(Manifest(of, NOON, "", {}), name), NOON)

    def kept() -> list[int]:
        manifest = files.read_manifest().index_manifest
        assert files.open_snapshot(manifest, check_entries=True).generation == manifest.generation
        return [manifest.generation.number - 1]

    return Writer(write, kept)


def history(folder: Path) -> Writer:
    store = SightingStore(SqliteDays(folder / "sightings", SIGHTING_TABLES))
    return Writer(
        lambda number: record_all(store, read_record(number)),
        lambda: sorted(sighting.offset for sighting in everything(store)),
        "history-store",
        store.close,
    )


def erasures(folder: Path) -> Writer:
    erased = ErasedReads(SqliteDays(folder / "erased", ERASED_TABLES), folder / "erasure.key")

    def identity(number: int) -> bytes:
        return identity_digest(a_read(str(number)).identity)

    def kept() -> list[int]:
        is_erased = erased.erased()
        return [number for number in range(MOST_WRITES) if is_erased(identity(number))]

    def write(number: int) -> None:
        erased.note({NOON.date(): [identity(number)]})

    return Writer(write, kept, "history-store", erased.close)


def images(folder: Path) -> Writer:
    store = ImageStore(folder, timedelta(hours=1))

    def kept() -> list[int]:
        return sorted(int(file.read_bytes()[:9]) for file in folder.rglob("*.jpg"))

    return Writer(lambda number: store.put("calais", system_clock(), f"{number:09}".encode() * 200), kept)


def look_up_result(folder: Path) -> Writer:
    output = folder / "result.csv"

    def write(number: int) -> None:
        vehicle._write(f"{number}\n" + "x" * 900, output)

    return Writer(write, lambda: [int(output.read_text("utf-8").split()[0])], "look-up-unwritable")


def subject_access(folder: Path) -> Writer:
    def write(number: int) -> None:
        data_subject._write(folder / "answer.json", f"{number}\n".encode() + b"x" * 900)

    def kept() -> list[int]:
        return [int((folder / "answer.json").read_bytes().split()[0])]

    return Writer(write, kept, "data-subject-unwritable")


# SQLite needs 32 kB for the pages that processes share, and a day file has a dozen tables and keys.
WRITERS = {
    a_plan: 64,
    users: 64,
    tokens: 64,
    back_check_progress: 64,
    audit_chain: 64,
    audit_checkpoint: 64,
    audit_heads: 64,
    spool: 64,
    index: 64,
    history: 512,
    erasures: 256,
    images: 64,
    look_up_result: 64,
    subject_access: 64,
}


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", request.param) as made:
        yield made


def files_in(folder: Path) -> set[str]:
    return {file.name for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("make", "disk"), WRITERS.items(), indirect=["disk"], ids=lambda value: getattr(value, "__name__", "")
)
def test_what_does_not_fit_leaves_all_as_it_was_and_fits_again_later(
    make: Callable[[Path], Writer], disk: SmallDisk, request: pytest.FixtureRequest
) -> None:
    folder = disk.path / "files"
    folder.mkdir(mode=0o700)
    writer = make(folder)
    request.addfinalizer(writer.close)
    writer.write(0)
    disk.fill()
    before, names, refusal, number = writer.kept(), files_in(folder), None, 1
    for number in range(1, MOST_WRITES):
        try:
            writer.write(number)
        except (AnprError, OSError) as error:
            refusal = error
            break
        before, names = writer.kept(), files_in(folder)

    assert refusal is not None
    if isinstance(refusal, AnprError):
        assert refusal.code == writer.code
        assert str(folder) in str(refusal)
    else:
        assert not writer.code
        assert "No space left" in str(refusal)
    assert writer.kept() == before
    assert files_in(folder) == names
    disk.make_room()
    writer.write(number)
    assert writer.kept()[-1] == number
    assert writer.kept()[:-1] == (before if len(before) > 1 or writer.kept()[0] != number else [])


# Each command, and its exit code.
COMMANDS = {
    "alerts": (3, ["anpr", "dry-run", "--watchlist", "config/example_watchlist.csv", "--reads", "READS"]),
    "reads": (2, ["simulators", "--for", "1m", "--speed", "1000", "--out", "OUT"]),
}


@pytest.mark.parametrize("disk", [64], indirect=True, ids=[""])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_whose_results_do_not_fit_says_which_file_is_not_whole(
    name: str, disk: SmallDisk, tmp_path: Path
) -> None:
    disk.fill()
    plate = Path("config/example_watchlist.csv").read_text("utf-8").splitlines()[1].split(",")[1]
    reads, out = tmp_path / "reads.jsonl", disk.path / "out.jsonl"
    read = f'{{"read_id": "1", "site": "calais", "plate": "{plate}", "captured_at": "2026-11-01T12:00:00Z"}}\n'
    reads.write_text(read * 300, "utf-8")
    code, words = COMMANDS[name]
    command = [{"READS": str(reads), "OUT": str(out)}.get(word, word) for word in words]
    with out.open("wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", *command], stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == code, done.stderr
    assert str(out) in done.stderr
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("disk", [64], indirect=True, ids=[""])
def test_machine_code_for_which_there_is_no_room_is_used_and_not_taken_for_kept(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "FOLDER", disk.path)
    monkeypatch.setattr(kernels, "_IS_KEPT", True)
    monkeypatch.setattr(kernels._KeptCode, "is_disk_full", False)
    disk.fill()

    @kernels.kernel
    def twice(number: int) -> int:
        return 2 * number

    assert twice(21) == 42
    kernels.note_complete()
    assert not kernels.are_compiled()
