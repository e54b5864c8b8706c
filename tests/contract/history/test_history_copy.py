"""A history that has lost its days gets them from the other service or a backup, whatever databases they are in."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import create_engine, text

from anpr.contracts.events import Alert, encode
from anpr.contracts.site_topics import SiteTopic
from anpr.history import day_copy, schema
from anpr.history.fact import facts_of
from anpr.history.fact_store import FactStore
from anpr.history.history_copy import DayReport, copy_history
from anpr.history.recorder import Recorder
from anpr.history.retention import Retention
from anpr.history.sighting import sightings_of
from anpr.history.sighting_store import SightingStore
from anpr.history.sql_tables import SCHEMA_VERSION, SIGHTING_KEYS
from anpr.history.stores import open_all, open_facts, open_sightings
from anpr.kafka.interfaces import Record
from anpr.matching.read_keys import folded_key
from anpr.runtime.errors import InputError
from anpr.runtime.settings import RetentionSettings, Settings
from anpr.runtime.settings_files import load_settings
from tests.support.history import TopicInMemory, at, everything, read_record
from tests.support.strategies import a_read, an_alert, an_entry

CONFIG = Path(__file__).parents[3] / "config"
LONG_AGO, LATER = at(-400 * 86_400), at(400 * 86_400)
# The broker's days 29 and 30 November and 1 December.
SECONDS = [0, 1, 1.5, 5, 6, 86_405, 86_406]


ADD: Callable[..., None] = SightingStore.add


def killed_after(commits: int, add: Callable[..., None]) -> Callable[..., None]:
    """Return a way to add rows that commits so often, and is killed then."""
    left = iter(range(commits))

    def add_until(*arguments: object) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        add(*arguments)

    return add_until


class Original:
    """The history that is copied from: its address, and the settings with which it is kept."""

    def __init__(self, address: str, settings: Settings) -> None:
        self.address, self.settings = address, settings


@pytest.fixture
def site() -> str:
    """A site of its own for each test, because PostgreSQL is shared: the schemas have its name."""
    return f"calais-{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["sqlite to sqlite", "sqlite to postgresql", "postgresql to sqlite"])
def kinds(request: pytest.FixtureRequest) -> list[str]:
    return str(request.param).split(" to ")


@pytest.fixture
def original(kinds: list[str], tmp_path: Path, request: pytest.FixtureRequest) -> Original:
    if kinds[0] == "postgresql":
        url = request.getfixturevalue("postgresql_url")
        return Original(url, load_settings(CONFIG, {"ANPR_HISTORY__URL": url}))
    folder = tmp_path / "the other % machine"
    return Original(str(folder), load_settings(CONFIG, {"ANPR_HISTORY__FOLDER": str(folder)}))


@pytest.fixture
def settings(kinds: list[str], tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """How the history that has lost its days is kept."""
    if kinds[1] == "postgresql":
        return load_settings(CONFIG, {"ANPR_HISTORY__URL": request.getfixturevalue("postgresql_url")})
    return load_settings(CONFIG, {"ANPR_HISTORY__FOLDER": str(tmp_path / "here")})


def reads(site: str, first: int = 0) -> list[Record]:
    return [
        read_record(offset, seconds, partition=offset % 2, site=site, read_id=str(offset // 2 * 2))
        for offset, seconds in enumerate(SECONDS)
    ][first:]


def keep(store: SightingStore, site: str, records: list[Record], topic_id: str = "topic-1") -> None:
    Recorder(TopicInMemory(records, topic_id), store, partial(sightings_of, site)).run_once(0)


def publish(store: FactStore, *alerts: Alert, topic_id: str = "alerts-1", site: str = "calais") -> None:
    records = [Record("alerts", 0, offset, at(offset * 4), encode(alert)) for offset, alert in enumerate(alerts)]
    Recorder(TopicInMemory(records, topic_id), store, partial(facts_of, SiteTopic(site, "alerts"))).run_once(0)


def fill(settings: Settings, site: str) -> None:
    """Keep reads and alerts as a service does, and stop."""
    stores = open_all(settings, site)
    keep(stores.sightings, site, reads(site), "topic-0")
    keep(stores.sightings, site, reads(site))
    for matched in (stores.matched, stores.matched_covert):
        keep(matched, site, reads(site)[:2])
    for facts in (stores.facts, stores.covert_facts):
        publish(facts, *(an_alert(a_read(str(number), site=site), an_entry()) for number in range(2)), site=site)
    stores.close()


class Service:
    """The stores of a running service, which has them locked."""

    def __init__(self, settings: Settings, site: str) -> None:
        self.stores = open_all(settings, site)
        self.sightings = self.stores.sightings
        self.close = self.stores.close

    def holds(self) -> list[object]:
        return [[row for day in store.days() for row in store.of_day(day)] for store in self.stores[:5]]


@pytest.fixture
def service(settings: Settings, site: str, original: Original, kinds: list[str]) -> Iterator[Service]:
    """A service that runs with empty stores, while the original holds three days."""
    del kinds
    fill(original.settings, site)
    service = Service(settings, site)
    yield service
    service.close()


def kept(original: Original, site: str) -> list[object]:
    other = Service(original.settings, site)
    holds = other.holds()
    other.close()
    return holds


def test_a_service_that_lost_its_days_holds_afterwards_what_the_other_holds(
    service: Service, settings: Settings, site: str, original: Original
) -> None:
    keep(service.sightings, site, reads(site, first=4))  # what the topic still has, in part of a day too
    offsets = service.sightings.next_offsets()
    reports = list(copy_history(settings, site, original.address))
    assert [report.problem for report in reports] == [""] * len(reports)
    assert sum(report.rows for report in reports) == 2 * len(SECONDS) + 4 * 2
    assert sum(report.new for report in reports) == 2 * len(SECONDS) - 3 + 4 * 2
    assert service.holds() == kept(original, site)
    assert service.sightings.next_offsets() == offsets, "it reads its topic on from where it was"
    found = list(service.sightings.with_keys([folded_key("AB12CDE")], LONG_AGO, LATER))
    assert {s.read.identity for s in found} == {s.read.identity for s in everything(service.sightings)}
    assert {report.new for report in copy_history(settings, site, original.address)} == {0}, "nothing twice"


def test_a_copy_that_was_broken_off_is_finished_by_the_next(
    service: Service, settings: Settings, site: str, original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day_copy, "_ROWS_AT_ONCE", 2)
    for commits in range(1, 4):
        monkeypatch.setattr(SightingStore, "add", killed_after(commits, ADD))
        with pytest.raises(KeyboardInterrupt):
            list(copy_history(settings, site, original.address))
        assert service.sightings.next_offsets() == {}, "the service begins its topic at the beginning"
    monkeypatch.setattr(SightingStore, "add", ADD)
    list(copy_history(settings, site, original.address))
    assert service.holds() == kept(original, site)


@pytest.fixture
def folders(tmp_path: Path, site: str) -> tuple[Original, Settings]:
    """An original with three days in files, and a service here that was started once."""
    other, here = (
        load_settings(CONFIG, {"ANPR_HISTORY__FOLDER": str(tmp_path / name)}) for name in ("backup", "here")
    )
    fill(other, site)
    Service(here, site).close()
    return Original(str(tmp_path / "backup"), other), here


def problems(settings: Settings, site: str, original: Original) -> dict[tuple[str, str], str]:
    reports: list[DayReport] = list(copy_history(settings, site, original.address))
    copied = [report for report in reports if not report.problem]
    assert sum(report.rows for report in copied) == sum(report.new for report in copied) > 0, "the others are copied"
    return {(report.store, str(report.day)): report.problem for report in reports if report.problem}


def test_a_day_that_cannot_be_copied_is_named_and_costs_no_other_day(
    folders: tuple[Original, Settings], site: str
) -> None:
    original, here = folders
    days = Path(original.address) / site / "sightings"
    whole = (days / "20261129.sqlite").read_bytes()
    (days / "20261129.sqlite").write_bytes(whole[: len(whole) // 2])
    (days / "20261130.sqlite-wal").write_bytes(b"it is still written")
    shutil.rmtree(Path(original.address) / site / "facts-covert")
    found = problems(here, site, original)
    assert "is damaged" in found.pop(("sightings", "2026-11-29"))
    assert "it is still written" in found.pop(("sightings", "2026-11-30"))
    assert "facts-covert does not exist" in found.pop(("facts-covert", "None"))
    assert found == {}


def test_a_day_that_goes_while_it_is_copied_is_named_and_costs_no_other_day(
    folders: tuple[Original, Settings], site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, here = folders

    def gone(store: SightingStore, day: date, *rows: Any) -> None:
        if day != date(2026, 11, 29):  # as if retention had taken it
            ADD(store, day, *rows)

    monkeypatch.setattr(SightingStore, "add", gone)
    found = problems(here, site, original)
    assert "not in the store after the copy" in found.pop(("sightings", "2026-11-29"))
    assert {day for _, day in found} <= {"2026-11-29"}


def test_the_history_of_another_site_is_not_copied(folders: tuple[Original, Settings], site: str) -> None:
    original, here = folders
    Service(here, "dover").close()
    Path(original.address, site).rename(Path(original.address, "dover"))
    reports = list(copy_history(here, "dover", original.address))
    assert {report.problem for report in reports} == {f"this is the history of {site}, not of dover"}
    again = Service(here, "dover")
    assert again.holds() == [[], [], [], [], []]
    again.close()


def test_days_of_an_older_version_are_copied_with_the_keys_of_this_one_and_those_of_a_newer_are_not(
    folders: tuple[Original, Settings], site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, here = folders
    for file in (Path(original.address) / site / "sightings").glob("*.sqlite"):
        engine = create_engine(f"sqlite:///{file}")
        with engine.begin() as connection:
            connection.execute(SIGHTING_KEYS.delete())
            if file.name == "20261129.sqlite":
                connection.execute(text("UPDATE schema_version SET version = version + 5"))
        engine.dispose()
    monkeypatch.setattr(schema, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    [problem] = problems(here, site, original).values()
    assert f"has schema version {SCHEMA_VERSION + 5}" in problem
    store = open_sightings(here, site)
    found = list(store.with_keys([folded_key("AB12CDE")], LONG_AGO, LATER))
    assert {sighting.arrived_at.day for sighting in found} == {30, 1}
    store.close()


def test_the_sightings_of_alerts_stay_when_a_copied_day_goes_while_the_copy_runs(
    folders: tuple[Original, Settings], site: str
) -> None:
    original, here = folders
    sightings = open_sightings(original.settings, site)
    wanted = next(sighting for sighting in everything(sightings) if sighting.offset == 2)
    sightings.close()
    facts = open_facts(original.settings, site, covert=False)
    publish(facts, an_alert(wanted.read, an_entry()), topic_id="alerts-2", site=site)
    facts.close()
    service = Service(here, site)
    retention = Retention(service.stores, RetentionSettings(sightings_days=1, matched_days=3650), Mock())
    for _ in copy_history(here, site, original.address):
        while retention.sweep(date(2027, 11, 29)):
            pass
    assert service.sightings.days() == []
    assert wanted.read.identity in {sighting.read.identity for sighting in everything(service.stores.matched)}
    service.close()


def test_nothing_is_written_where_it_copies_from(folders: tuple[Original, Settings], site: str) -> None:
    original, here = folders

    def state() -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in Path(original.address).rglob("*") if file.is_file()}

    before = state()
    list(copy_history(here, site, original.address))
    assert state() == before


def test_a_history_that_was_never_started_and_a_password_for_all_to_see_are_refused(
    tmp_path: Path, site: str, folders: tuple[Original, Settings]
) -> None:
    original, here = folders
    nowhere = load_settings(CONFIG, {"ANPR_HISTORY__FOLDER": str(tmp_path / "nowhere")})
    with pytest.raises(InputError, match="does not exist") as caught:
        list(copy_history(nowhere, site, original.address))
    assert "anpr history" in caught.value.next_step
    reports = list(copy_history(here, site, "postgresql://ann:secret@db/history"))
    assert {report.problem for report in reports} == {"the address on the command line holds a password"}
