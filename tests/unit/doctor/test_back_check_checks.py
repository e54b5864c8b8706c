"""What the doctor says of a back-check: whether it runs, what it can read, and whether it goes on."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from anpr.back_check.progress_file import ProgressFile, progress_path
from anpr.back_check.search import Progress
from anpr.contracts.events import Generation
from anpr.doctor.back_check_checks import check, judge
from anpr.doctor.findings import Finding
from anpr.history.sighting import Source
from anpr.index_store.folder import IndexManifest
from anpr.runtime.clock import system_clock
from anpr.runtime.errors import UnavailableError
from anpr.watchlist.store.manifest import Manifest
from tests.support.history_machine import Machine
from tests.support.strategies import NOON, generation

SOURCE = Source("topic-1", 0)
STORED = {SOURCE: 10_000}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.store.close()


def found(machine: Machine, site: str = "calais") -> list[tuple[str, str]]:
    return [(one.state, one.message) for one in check(machine.settings, site, system_clock)]


def test_a_site_without_a_history_here_is_named_and_nothing_is_wrong(machine: Machine) -> None:
    [(state, message)] = found(machine, "coquelles")
    assert (state, "no history of it" in message) == ("note", True)


def test_the_history_the_index_and_the_service_are_each_looked_at(machine: Machine) -> None:
    machine.passed(0, "AB12CDE", system_clock())
    assert [state for state, _ in found(machine)] == ["well", "wrong"]
    assert "no usable index" in found(machine)[1][1]
    machine.listed()
    assert found(machine)[0] == ("well", "its history can be read: 1 day")
    assert found(machine)[1][1].startswith("it does not run")
    file = ProgressFile(progress_path(machine.settings, "calais"))
    with closing(file.lock()):
        file.save(Progress(checked=generation(1)))
        assert found(machine)[1] == (
            "well",
            f"it runs, and has looked for every entry up to generation {generation(1)}",
        )
        with pytest.raises(UnavailableError, match="another"):
            file.lock()
    assert not file.is_locked()


def test_a_history_that_cannot_be_read_is_wrong(machine: Machine) -> None:
    machine.passed(0, "AB12CDE", system_clock())
    [day] = (machine.settings.history_dir / "calais" / "sightings").glob("*.sqlite")
    day.write_bytes(b"no database at all" * 300)
    [(state, message)] = found(machine)
    assert state == "wrong"
    assert "cannot be read" in message


def judged(progress: Progress, seconds: float, newest: Generation = generation(7)) -> Finding:  # noqa: B008  frozen
    manifest = IndexManifest(Manifest(newest, NOON, "", {}), "snapshot")
    return judge("calais", progress, manifest, STORED, is_running=True, now=NOON + timedelta(seconds=seconds))


def test_one_that_does_not_begin_to_look_for_the_newest_list_is_wrong_after_a_while() -> None:
    behind = Progress(checked=generation(6))
    assert judged(behind, 1).state == "well"
    assert judged(behind, 60).state == "wrong"


def test_a_search_that_goes_on_is_worth_knowing() -> None:
    begun = Progress().with_new(generation(7), NOON)
    assert judged(begun, 60).state == "note"
    [search] = begun.searches
    halfway = begun.with_changed(search, search.with_done({SOURCE: 6_000}))
    assert judged(halfway, 60).message == "it runs; searches that go on: 1, with 4,000 records to go through"
