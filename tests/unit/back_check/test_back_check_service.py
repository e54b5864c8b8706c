"""What a back-check does when its store or its disk refuses."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import msgspec
import pytest

from anpr.back_check import back_check_service
from anpr.back_check.back_check_service import BackCheckService, pause_seconds
from anpr.back_check.matcher_generations import MatcherGenerations
from anpr.back_check.progress_file import ProgressFile
from anpr.back_check.search import Progress
from anpr.contracts.events import Status, encode
from anpr.history.schema import OtherSchemaError
from anpr.kafka.interfaces import Record
from anpr.kafka.topic_ends import PartitionEnds
from anpr.matching.index import Index
from anpr.runtime.errors import InputError
from anpr.runtime.settings_files import load_settings
from tests.support.back_check import AlertsInMemory, SightingsInMemory, active
from tests.support.strategies import NOON, a_read, an_entry, generation

SITE = "calais"


class Waits(threading.Event):
    """A stop that comes after so many waits of the service, which take no time; `then` is called at each."""

    def __init__(self, waits: int, then: Callable[[int], None] = lambda _: None) -> None:
        super().__init__()
        self._left = waits
        self._then = then

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  no time passes
        self._left -= 1
        self._then(self._left)
        if self._left <= 0:
            self.set()
        return self.is_set()


class StoredSightings(SightingsInMemory):
    """Sightings in a store that is opened and closed."""

    def close(self) -> None:
        """Keep them: they are opened again."""


class Site:
    """A site with a sighting of a listed vehicle. Its history learns of no alert: its disk may be full."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sightings, self.alerts = StoredSightings(), AlertsInMemory()
        self.sightings.store(a_read())
        self.index = Index.build([an_entry(revision=generation(1))], generation(1))
        settings = load_settings(Path("config"), {})
        history = msgspec.structs.replace(settings.history, folder=str(folder))
        self._settings = msgspec.structs.replace(settings, history=history)
        self.file = self._settings.history_dir / SITE / "back-check.json"
        self.open_sightings = MagicMock(return_value=self.sightings)
        self.generations: Any = MagicMock(lowest=lambda *_: generation(1))
        self.statuses: list[Record] = []
        for name, double in {
            "open_sightings": self.open_sightings,
            "open_facts": MagicMock(),
            "KafkaTail": MagicMock(return_value=MagicMock(poll=self._poll)),
            "TopicEnds": MagicMock(return_value=MagicMock(ask=lambda: {("topic-1", 0): PartitionEnds(0, 2)})),
            "MatcherGenerations": lambda: self.generations,
            "KafkaProducer": MagicMock(),
            "KnownAlerts": lambda *_: lambda _: set(),
            "AlertPublisher": lambda *_: self.alerts.publish,
            "IndexFollower": lambda *_: SimpleNamespace(
                active=active(self.index), start=lambda: None, stop=lambda: None
            ),
        }.items():
            monkeypatch.setattr(back_check_service, name, double)

    def _poll(self, wait_seconds: float) -> list[Record]:
        self._stop.wait(wait_seconds)
        return self.statuses

    def service(self, stop: threading.Event) -> BackCheckService:
        self._stop = stop
        return BackCheckService(self._settings, SITE, stop)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    return Site(tmp_path / "history", monkeypatch)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b'{"searches": 1}', b'{"other": ' + b"[" * 2000])
def test_progress_that_something_has_spoilt_begins_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "back-check.json").write_bytes(content)
    assert ProgressFile(tmp_path / "back-check.json").load() == Progress()


def test_while_its_progress_cannot_be_saved_it_publishes_each_alert_once_and_is_not_ready(site: Site) -> None:
    site.file.mkdir(parents=True)
    service = site.service(Waits(10))
    service.run()
    assert site.open_sightings.call_count > 2
    assert len(site.alerts.published) == 1
    assert "back-check.json" in "".join(service.health.why_not_ready())


def test_a_search_that_ends_while_its_progress_cannot_be_saved_publishes_each_alert_once(site: Site) -> None:
    def fill_the_disk(waits_left: int) -> None:
        if waits_left == 18:
            site.file.unlink()
            site.file.mkdir()
            site.sightings.store(a_read("read-2"))

    site.service(Waits(20, fill_the_disk)).run()
    assert site.open_sightings.call_count > 2
    assert [alert.read.read_id for alert in site.alerts.published] == ["read-1", "read-2"]


def test_once_its_progress_can_be_saved_again_a_later_search_finds_what_is_new(site: Site) -> None:
    def free_the_disk(waits_left: int) -> None:
        if waits_left == 15:
            site.file.rmdir()
            site.sightings.store(a_read("read-2"))

    site.file.mkdir(parents=True)
    service = site.service(Waits(20, free_the_disk))
    service.run()
    assert [alert.read.read_id for alert in site.alerts.published] == ["read-1", "read-2"]
    assert service.health.why_not_ready() == []
    assert site.file.is_file()


@pytest.mark.parametrize(("speaks_for", "goes_on"), [("dover", True), (SITE, False)])
def test_a_status_of_another_site_ends_no_search(
    site: Site, monkeypatch: pytest.MonkeyPatch, *, speaks_for: str, goes_on: bool
) -> None:
    status = Status(site=speaks_for, matcher="a", at=NOON, started_at=NOON, generation=generation(1), partitions=1)
    site.statuses = [Record("status", 0, 0, NOON, encode(status))]
    site.sightings.store(a_read("read-2"))  # to the end of the topic
    monkeypatch.setattr(back_check_service, "MatcherGenerations", MatcherGenerations)
    site.service(Waits(20)).run()
    assert bool(ProgressFile(site.file).load().searches) == goes_on


def test_it_waits_until_history_has_upgraded_its_store(site: Site) -> None:
    older = OtherSchemaError("the store has schema version 1", "start the `anpr history` that keeps it")
    site.open_sightings.side_effect = [older, older, site.sightings]
    stop = Waits(10)
    service = site.service(stop)
    service.run()
    assert [alert.read.read_id for alert in site.alerts.published] == ["read-1"]
    assert service.health.why_not_ready() == []


def test_a_setting_that_cannot_be_used_ends_it(site: Site) -> None:
    site.open_sightings.side_effect = InputError("history-url", "history.url is not an address", "write it so")
    with pytest.raises(InputError, match=r"history\.url"):
        site.service(Waits(10)).run()


def test_it_rests_as_long_as_a_piece_took_and_lets_the_next_change_wait_for_no_question() -> None:
    assert pause_seconds("piece", 0.9, is_searching=True) == 0.9, "a slow disk or a busy machine is not loaded more"
    assert pause_seconds("question", 0.9, is_searching=True) == 0.2
    assert pause_seconds("question", 0.05, is_searching=True) == 0.05
    assert pause_seconds(None, 0.01, is_searching=True) == 0.2, "it looks seldom whether more is stored"
    assert pause_seconds(None, 0.9, is_searching=True) == 0.9
    assert pause_seconds(None, 0.001, is_searching=False) == 0.001, "the next change is noticed at once"
