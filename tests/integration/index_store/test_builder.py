"""One process of a machine keeps the index on disk, and the matchers always continue with the last whole one."""

import json
import multiprocessing
import os
import random
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from anpr.index_store import compaction_due
from anpr.index_store.builder import IndexBuilder
from anpr.index_store.compaction import compact, compact_in_subprocess
from anpr.index_store.folder import IndexFolder, IndexManifest
from anpr.local.processes import wait_until
from anpr.local.valkey_server import ValkeyServer
from anpr.matching import index as index_module
from anpr.runtime import metrics
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import UnavailableError
from anpr.watchlist.store import keys, list_writer, reader, snapshot_storage
from anpr.watchlist.store.applied_change import Author
from anpr.watchlist.store.keys import keys_of, parts_of
from anpr.watchlist.store.manifest import CameraCalibration
from tests.support.calibrations import OFTEN_UNSURE
from tests.support.entries import entry
from tests.support.installation import Installation
from tests.support.machine import Machine, apply, put
from tests.support.slow_proxy import SlowProxy
from tests.support.strategies import a_read


@pytest.fixture
def machine(tmp_path: Path, redis_url: str) -> Machine:
    return Machine(tmp_path / "index", redis_url)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that a dozen entries are too many to compare, and a few changes too many for a delta."""
    monkeypatch.setattr(snapshot_storage, "CHUNK_ENTRIES", 3)
    monkeypatch.setattr(list_writer, "CHUNK_ENTRIES", 3)
    monkeypatch.setattr(reader, "COMPARED_ENTRIES", 6)
    monkeypatch.setattr(compaction_due, "LEAST_CHANGES", 4)
    monkeypatch.setattr(compaction_due, "LEAST_SECONDS", 0)
    # So that there are several deltas.
    monkeypatch.setattr(index_module, "_ALWAYS_JOINED", 0)
    monkeypatch.setattr(index_module, "_JOIN_FACTOR", 1)


def files(it: Machine) -> list[str]:
    return sorted(file.suffix for file in it.folder.path.iterdir())


# --- a list that changes ---


def test_a_first_list_and_each_change_of_it_reaches_the_matcher(machine: Machine) -> None:
    machine.steps()
    assert machine.generation() is None
    machine.comes_to(apply(machine, "a", "b"))
    assert machine.ids() == {"a", "b"}
    machine.comes_to(put(machine, "c", remove=("a",)))
    assert machine.ids() == {"b", "c"}
    found = machine.active.index.match([a_read(plate="AB12CDE")])
    assert [match.entry.entry_id for match in found[0]] == ["b", "c"]


def test_a_small_change_leaves_the_snapshot_as_it_is(machine: Machine) -> None:
    machine.comes_to(apply(machine, "a", "b"))
    snapshot = machine.active.index.snapshot
    machine.comes_to(put(machine, "c"))
    assert machine.active.index.snapshot is snapshot
    assert files(machine) == [".base", ".changes", ".json"]


@pytest.mark.usefixtures("small")
def test_a_long_chain_of_changes_gives_the_list_of_a_fresh_load_in_bounded_room(machine: Machine) -> None:
    machine.comes_to(apply(machine, *(f"{number:02}" for number in range(12))))
    for number in range(12, 40):
        machine.comes_to(put(machine, str(number), remove=(f"{number - 12:02}",)))
    manifest = machine.store.read_manifest()
    assert manifest is not None
    assert machine.ids() == {one.entry_id for one in machine.store.load(manifest) or ()}

    def is_compacted() -> bool:
        machine.step()
        return machine.active.index.change_count <= 4

    assert wait_until(is_compacted, 60)
    assert len(files(machine)) <= 4
    assert machine.ids() == {str(number) for number in range(28, 40)}


def test_what_has_left_the_list_leaves_the_disk_when_its_time_is_over(machine: Machine) -> None:
    entries = [entry("goes", "GO07NEX"), entry("stays", "AB12CDE")]
    machine.comes_to(machine.store.apply("stolen", entries, "test", system_clock()))
    machine.comes_to(put(machine, "later", remove=("goes",)))

    def is_on_disk(plate: bytes) -> bool:
        machine.step()
        return any(plate in file.read_bytes() for file in machine.folder.path.iterdir())

    assert is_on_disk(b"GO07NEX"), "the search finds what is there"
    machine.clock_offset = timedelta(hours=71)
    machine.steps()
    assert is_on_disk(b"GO07NEX"), "each compaction costs time"
    machine.clock_offset = timedelta(hours=73)
    assert wait_until(lambda: not is_on_disk(b"GO07NEX"), 60)
    assert is_on_disk(b"AB12CDE")


@pytest.mark.usefixtures("small")
def test_a_whole_new_list_replaces_a_large_one(machine: Machine) -> None:
    machine.comes_to(apply(machine, *(f"old-{number}" for number in range(20))))
    machine.comes_to(apply(machine, *(f"new-{number}" for number in range(20))))
    assert machine.ids() == {f"new-{number}" for number in range(20)}
    assert files(machine).count(".base") == 1


def test_a_rollback_is_a_new_generation_and_is_followed(machine: Machine) -> None:
    first = apply(machine, "a")
    machine.comes_to(first)
    machine.comes_to(apply(machine, "b"))
    back = machine.store.rollback("stolen", first.generation, why="test", now=system_clock(), author=Author())
    machine.comes_to(back)
    assert machine.ids() == {"a"}


# --- a fault of Redis changes nothing ---


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path / "valkey") as server:
        yield server


def test_a_generation_has_its_calibrations_in_the_matcher_also_after_a_restart(machine: Machine) -> None:
    machine.comes_to(apply(machine, "a", "b"))
    assert not machine.active.index.calibrations
    now, snapshot = system_clock(), machine.active.index.snapshot
    one = CameraCalibration.of("calais", "front", OFTEN_UNSURE, now, now)
    machine.comes_to(machine.store.calibrate([one], why="test", now=now, author=Author()))
    assert list(machine.active.index.calibrations.rows) == [("calais", "front")]
    assert machine.active.index.snapshot is snapshot, "no entry has changed"
    assert machine.ids() == {"a", "b"}
    machine.comes_to(put(machine, "c"))
    assert machine.active.index.calibrations, "a change of the list leaves them"
    machine.start_matcher()
    machine.matcher.check_for_update()
    assert machine.active.index.calibrations
    machine.comes_to(machine.store.remove_calibrations("calais", [], why="test", now=now, author=Author()))
    assert not machine.active.index.calibrations


@pytest.mark.parametrize("spoil", [lambda counts: counts[:-8], lambda counts: counts * 2, lambda _: 7])
def test_a_calibration_that_cannot_be_used_leaves_the_index_in_force(
    machine: Machine, redis_url: str, spoil: Callable[[Any], Any]
) -> None:
    """Whoever wrote it, the matchers go on, and nobody has to start a service again."""
    apply(machine, "a")
    now, client = system_clock(), redis.Redis.from_url(redis_url)
    one = CameraCalibration.of("calais", "front", OFTEN_UNSURE, now, now)
    machine.comes_to(machine.store.calibrate([one], why="test", now=now, author=Author()))
    before = machine.active
    written = machine.store.change("stolen", [entry("b", "AB12CDE")], [], why="test", now=now, author=Author())
    manifest = json.loads(client.get(keys.MANIFEST) or b"")
    [stored] = manifest["calibrations"]
    stored["counts"] = spoil(good := stored["counts"])
    client.set(keys.MANIFEST, json.dumps(manifest))
    machine.steps()
    machine.start_builder()
    machine.steps()
    assert machine.active.index is before.index
    assert "was written by another version, or is damaged" in machine.builder.problem
    stored["counts"] = good
    client.set(keys.MANIFEST, json.dumps(manifest))
    machine.comes_to(written)


def test_a_redis_that_comes_back_empty_is_not_taken_for_an_empty_list(tmp_path: Path, valkey: ValkeyServer) -> None:
    machine = Machine(tmp_path / "index", valkey.url)
    machine.comes_to(apply(machine, "a"))
    machine.steps()
    before = machine.active
    redis.Redis.from_url(valkey.url).flushall()
    machine.steps()
    assert machine.active == before, "the active index stays, and is not confirmed"
    assert "does not count as an empty watchlist" in machine.builder.problem
    # A list that is applied to it then has a newer epoch.
    machine.comes_to(apply(machine, "b"))
    assert machine.ids() == {"b"}


def test_an_older_generation_in_redis_is_not_followed(machine: Machine, redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    machine.comes_to(apply(machine, "a"))
    older = client.get(keys.MANIFEST)
    assert older is not None
    machine.comes_to(apply(machine, "b"))
    before = machine.active
    client.set(keys.MANIFEST, older)
    machine.steps()
    assert machine.active == before
    machine.start_builder()
    machine.start_matcher()
    machine.steps()
    assert machine.ids() == {"b"}, "nor by a builder that was started again"


def test_a_generation_that_is_not_whole_is_not_followed(machine: Machine, redis_url: str) -> None:
    machine.comes_to(apply(machine, "a"))
    machine.steps()
    before = machine.active
    apply(machine, "b")
    manifest = machine.store.read_manifest()
    assert manifest is not None
    client = redis.Redis.from_url(redis_url)
    for key in keys_of(parts_of(manifest.lists["stolen"])):
        client.set(key, b"\x90")
    machine.steps(20)
    assert machine.active == before


def test_without_redis_a_restart_continues_from_disk_and_shows_the_age_of_the_list(
    tmp_path: Path, valkey: ValkeyServer
) -> None:
    machine = Machine(tmp_path / "index", valkey.url)
    applied = apply(machine, "a")
    machine.comes_to(applied)
    machine.comes_to(put(machine, "b"))
    before_it_went = system_clock()
    machine.steps()
    confirmed_at = machine.active.confirmed_at
    valkey.kill()
    machine.start_builder()
    machine.start_matcher()
    machine.steps()
    assert machine.ids() == {"a", "b"}
    assert machine.active.confirmed_at == confirmed_at
    assert confirmed_at is not None
    assert confirmed_at > before_it_went - timedelta(milliseconds=1)
    assert "does not answer" in machine.builder.problem
    back_at = system_clock()
    valkey.start()

    def is_confirmed() -> bool:
        machine.step()
        return machine.active.confirmed_at is not None and machine.active.confirmed_at > back_at

    assert wait_until(is_confirmed, 60)
    machine.comes_to(put(machine, "c"))
    assert machine.ids() == {"a", "b", "c"}


def test_a_redis_that_answers_slowly_delays_no_matcher(tmp_path: Path, valkey: ValkeyServer) -> None:
    with SlowProxy(valkey.port) as proxy:
        machine = Machine(tmp_path / "index", proxy.url, timeout_seconds=1)
        machine.comes_to(apply(machine, "a"))
        proxy.delay_seconds = 2
        machine.builder.run_once()
        assert "does not answer" in machine.builder.problem
        machine.matcher.check_for_update()
        assert machine.ids() == {"a"}
        proxy.delay_seconds = 0.05  # slow, and in time
        machine.comes_to(put(Machine(tmp_path / "writer", valkey.url), "b"))
        assert machine.ids() == {"a", "b"}


# --- faults of the files ---

DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "cut": lambda content: content[:-70],
    "a bit changed": lambda content: content[:-70] + bytes([content[-70] ^ 1]) + content[-69:],
    "another version": lambda content: content.replace(b"anpr-index-0", b"anpr-index-9"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("suffix", [".base", ".changes"])
def test_a_damaged_file_is_refused_by_a_matcher_and_built_again(
    machine: Machine, suffix: str, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    machine.comes_to(apply(machine, *map(str, range(9))))
    last = put(machine, "new")
    machine.comes_to(last)
    (file,) = machine.folder.path.glob(f"*{suffix}")
    beside = file.with_suffix(".damaged")
    beside.write_bytes(damage(file.read_bytes()))
    beside.replace(file)
    machine.start_matcher()
    machine.matcher.check_for_update()
    assert machine.matcher.active is None
    assert "cannot be used" in caplog.text
    machine.comes_to(last)
    assert machine.ids() == {*map(str, range(9)), "new"}


def test_a_damaged_manifest_is_refused_and_the_index_built_again(machine: Machine) -> None:
    applied = apply(machine, "a")
    machine.comes_to(applied)
    file = machine.folder.path / "current.json"
    file.write_bytes(file.read_bytes().replace(b'"number"', b'"nunber"'))
    machine.start_builder()
    machine.start_matcher()
    machine.matcher.check_for_update()
    assert machine.matcher.active is None
    machine.comes_to(applied)


def test_files_that_are_deleted_are_built_again(machine: Machine) -> None:
    applied = apply(machine, "a")
    machine.comes_to(applied)
    for file in machine.folder.path.iterdir():
        file.unlink()
    machine.steps()
    assert machine.ids() == {"a"}, "a matcher that has mapped a file keeps it"
    machine.start_matcher()
    machine.comes_to(applied)


def test_files_that_a_killed_builder_left_half_written_are_never_used_and_are_deleted(machine: Machine) -> None:
    machine.comes_to(apply(machine, "a"))
    (machine.folder.path / "9.9-x.base.part").write_bytes(b"half")
    (machine.folder.path / "9.9-x.base").write_bytes(b"never activated")
    machine.start_builder()
    machine.start_matcher()
    machine.comes_to(put(machine, "b"))
    assert len(files(machine)) <= 3


def test_a_full_disk_leaves_the_last_list_unconfirmed_and_the_next_arrives_when_there_is_space(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.comes_to(apply(machine, "a"))
    machine.steps()
    before = machine.active

    def is_full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(machine.folder, "_write", is_full)
        applied = apply(machine, "b")
        machine.steps(20)
        assert machine.active == before
        assert "No space left" in machine.builder.problem
    machine.comes_to(applied)
    assert machine.ids() == {"b"}


# --- the processes ---


def test_only_one_builder_runs_on_a_machine_and_a_second_is_refused(installation: Installation) -> None:
    installation.start_builder()
    folder = IndexFolder(installation.settings.index_dir)
    assert wait_until(folder.has_builder, 60)
    second = installation.run("index", "--site", installation.sites[1])
    assert second.returncode == 3
    assert b'"index-already-built"' in second.stderr
    installation.supervisor.kill("index")
    assert wait_until(lambda: installation.supervisor.restarts("index") == 1 and folder.has_builder(), 60)


@pytest.mark.usefixtures("small")
def test_a_compaction_whose_process_was_killed_is_done_again(
    tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(tmp_path / "index", redis_url)
    machine.builder = IndexBuilder(machine.store, machine.folder, system_clock, compact_in_subprocess)
    machine.comes_to(apply(machine, "a"))
    machine.comes_to(put(machine, *"bcdef"))
    assert wait_until(lambda: bool(multiprocessing.active_children()), 60)
    for child in multiprocessing.active_children():
        child.kill()

    def is_compacted() -> bool:
        machine.step()
        return machine.active.index.change_count == 0

    assert wait_until(is_compacted, 60)
    assert "ended with -9" in caplog.text
    assert machine.ids() == set("abcdef")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("failure", [UnavailableError("index-merge-ended", "killed", "wait"), OSError(28, "full")])
def test_a_compaction_that_fails_is_tried_again_less_and_less_often_and_delays_no_change(
    machine: Machine, failure: Exception
) -> None:
    tried: list[float] = []
    now = 0.0

    def compact_when_there_is_room(folder: IndexFolder, index_manifest: IndexManifest) -> str:
        tried.append(now)
        if len(tried) <= 12:
            raise failure
        return compact(folder, index_manifest)

    def jumping_clock() -> datetime:
        return system_clock() + timedelta(hours=random.choice((-2, 0, 2)))

    machine.builder = IndexBuilder(
        machine.store, machine.folder, jumping_clock, compact_when_there_is_room, stopwatch=lambda: now
    )
    machine.comes_to(apply(machine, "a"))
    counted = metrics.REGISTRY.get_sample_value("anpr_index_merge_failures_total") or 0
    machine.comes_to(put(machine, *"bcdef"))

    def goes_on_until_tried(times: int) -> None:
        nonlocal now
        while len(tried) < times:
            now += 0.5
            machine.step()
            for thread in threading.enumerate():
                if thread.name == "index-merge":
                    thread.join()

    goes_on_until_tried(5)
    machine.comes_to(put(machine, "g"))
    goes_on_until_tried(13)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[0] < 5
    assert pauses == sorted(pauses)
    assert all(later < 3 * earlier for earlier, later in pairwise(pauses))
    assert 300 <= pauses[-1] < 305
    assert metrics.REGISTRY.get_sample_value("anpr_index_merge_failures_total") == counted + 12
    machine.steps()
    assert machine.active.index.change_count == 0
    assert machine.ids() == set("abcdefg")


def test_many_changes_lead_to_few_compactions_and_each_change_is_active_before_the_next(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction_due, "LEAST_CHANGES", 20)
    compacted_at: list[float] = []
    now = 0.0

    def compact_and_note(folder: IndexFolder, index_manifest: IndexManifest) -> str:
        compacted_at.append(now)
        return compact(folder, index_manifest)

    machine.builder = IndexBuilder(
        machine.store, machine.folder, system_clock, compact_and_note, stopwatch=lambda: now
    )
    machine.comes_to(apply(machine, "first"))
    ids = {"first"}
    for number in range(150):
        now += 2
        new = {f"{number}-a", f"{number}-b"}
        machine.comes_to(put(machine, *new))
        ids |= new
        for thread in threading.enumerate():
            if thread.name == "index-merge":
                thread.join()
    assert machine.ids() == ids
    assert 3 <= len(compacted_at) <= 5, "300 entries are new in five minutes, and each 20 were enough"
    assert all(later - earlier >= 60 for earlier, later in pairwise([0.0, *compacted_at]))


@pytest.mark.usefixtures("small")
def test_while_a_compaction_takes_long_the_deltas_of_older_generations_leave_the_disk(machine: Machine) -> None:
    has_room = threading.Event()

    def compact_in_the_end(folder: IndexFolder, index_manifest: IndexManifest) -> str:
        has_room.wait()
        return compact(folder, index_manifest)

    machine.builder = IndexBuilder(machine.store, machine.folder, system_clock, compact_in_the_end)
    machine.comes_to(apply(machine, "a"))
    ids = {"a"}
    try:
        for number in range(20):
            machine.comes_to(put(machine, str(number)))
            ids.add(str(number))
        assert files(machine).count(".changes") < 12, "those that are compacted, and those of the active index"
    finally:
        has_room.set()
    for thread in threading.enumerate():
        if thread.name == "index-merge":
            thread.join()
    machine.steps()
    assert machine.builder.problem == ""
    assert machine.ids() == ids
    assert files(machine).count(".base") == 1


def test_a_compaction_ends_with_its_builder(machine: Machine) -> None:
    machine.comes_to(apply(machine, "a"))
    manifest = machine.folder.read_manifest().index_manifest
    os.mkfifo(machine.folder.path / "endless")
    endless = msgspec.structs.replace(manifest, snapshot="endless")
    builder = multiprocessing.get_context("spawn").Process(
        target=compact_in_subprocess, args=(machine.folder, endless)
    )
    builder.start()

    def children() -> list[int]:
        return [int(pid) for pid in Path(f"/proc/{builder.pid}/task/{builder.pid}/children").read_text().split()]

    def stand_back() -> list[int]:
        return [child for child in children() if os.getpriority(os.PRIO_PROCESS, child) > 0]

    try:
        assert wait_until(lambda: bool(stand_back()), 60), "the compaction leaves the processor to others"
        (child,) = stand_back()
    finally:
        builder.kill()
        builder.join()
    assert wait_until(lambda: not Path(f"/proc/{child}").exists(), 60)


def test_a_matcher_without_a_builder_names_at_once_the_command_to_start(installation: Installation) -> None:
    site = installation.sites[0]
    installation.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    installation.start("one", "match", "--site", site, "--name", "one", "--metrics-port", "0")
    log = installation.folder / "one.log"
    assert wait_until(lambda: log.exists() and f"anpr index --site {site}" in log.read_text("utf-8"), 60)
