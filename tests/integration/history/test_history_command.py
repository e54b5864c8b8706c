"""`anpr history` on real servers: what it keeps, where, and what it says when something is missing."""

import json
from contextlib import closing
from datetime import timedelta
from functools import partial

import httpx
import pytest

from anpr.contracts import topics
from anpr.contracts.events import encode
from anpr.contracts.topics import AddressedAction, of_action, of_alert
from anpr.history.look_up import HistoryLookUp
from anpr.history.recorder import Recorder
from anpr.history.sighting import sightings_of
from anpr.history.stores import open_all, open_facts, open_sightings
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.runtime.settings import Settings
from anpr.runtime.settings_files import load_settings
from tests.support.entries import read_line
from tests.support.history import EVENING, TopicInMemory, everything, read_record, written
from tests.support.installation import Installation
from tests.support.sites import a_look_up
from tests.support.strategies import a_read, an_action, an_alert, an_entry


def produce(it: Installation, *records: tuple[str, bytes]) -> None:
    producer = KafkaProducer(it.kafka)
    for topic, value in records:
        producer.produce(topic, "key", value)
    assert wait_until(lambda: producer.flush(1) == 0, 60)


def facts(settings: Settings, site: str, *, covert: bool) -> list[bytes]:
    """Return the values of the facts in a store of a stopped history."""
    store = open_facts(settings, site, covert=covert)
    values = [fact.value for day in store.days() for fact in store.of_day(day)]
    store.close()
    return sorted(values)


def settled(it: Installation, settings: Settings, site: str, sightings: int, count: int) -> None:
    """Wait until the stores hold so many sightings and facts, and stop history."""

    def is_there() -> bool:
        reads = open_sightings(settings, site, is_writer=False)
        stores = [open_facts(settings, site, covert=covert, is_writer=False) for covert in (False, True)]
        found = reads.count(), sum(len(list(store.of_day(day))) for store in stores for day in store.days())
        reads.close()
        for store in stores:
            store.close()
        return found == (sightings, count)

    assert wait_until(is_there, 60)
    it.supervisor.remove("history")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_vehicle_is_found_with_its_alerts_and_actions_and_covert_ones_are_kept_apart(
    installation: Installation, kind: str, request: pytest.FixtureRequest
) -> None:
    it, site = installation, installation.sites[0]
    if kind == "postgresql":
        it.environment["ANPR_HISTORY__URL"] = request.getfixturevalue("postgresql_url")
    settings = load_settings(it.config, it.environment)
    read = a_read("a", site=site, plate="A812 COE")
    open_alert, covert_alert = (
        an_alert(read, an_entry(handling, handling=handling)) for handling in ("open", "covert")
    )
    both = open_alert, covert_alert
    actions = {alert: an_action(alert.entry.entry_id, "claimed", alert, site=site) for alert in both}
    it.start("history", "history", "--site", site, "--metrics-port", "0")
    produce(
        it,
        (topics.reads(site), written(read)),
        *((of_alert(alert), encode(alert)) for alert in both),
        *((of_action(AddressedAction(action, alert.is_covert)), encode(action)) for alert, action in actions.items()),
    )
    health = it.health_address("history")
    assert wait_until(lambda: httpx.get(f"{health}/readyz").status_code == 200, 60)
    settled(it, settings, site, 1, 4)

    sightings = open_sightings(settings, site)
    assert [sighting.read.read_id for sighting in everything(sightings)] == ["a"]
    sightings.close()
    assert facts(settings, site, covert=False) == sorted([encode(open_alert), encode(actions[open_alert])])
    assert facts(settings, site, covert=True) == sorted([encode(covert_alert), encode(actions[covert_alert])])
    asked = a_look_up("AB12 CDE", since=EVENING - timedelta(days=9000), until=EVENING + timedelta(days=9000))
    with closing(open_all(settings, site)) as stores:
        for covert, known in ((False, [open_alert]), (True, [covert_alert, open_alert])):
            [found] = HistoryLookUp(site, stores).find(asked, covert=covert).sightings
            assert (found.read.read_id, found.tier) == ("a", "folded")
            assert sorted(found.alerts, key=lambda alert: alert.entry.entry_id) == known
            assert sorted(found.actions, key=lambda action: action.action_id) == [actions[alert] for alert in known]


def test_days_of_a_backup_are_copied_while_the_service_runs(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    backup = it.folder / "backup"
    store = open_sightings(load_settings(it.config, it.environment | {"ANPR_HISTORY__FOLDER": str(backup)}), site)
    Recorder(TopicInMemory([read_record(0, site=site)]), store, partial(sightings_of, site)).run_once(0)
    store.close()
    it.start("history", "history", "--site", site, "--metrics-port", "0")
    produce(it, (topics.reads(site), read_line("a", site, "AB12 CDE")))
    health = it.health_address("history")
    assert wait_until(lambda: httpx.get(f"{health}/readyz").status_code == 200, 60)
    done = it.run("history", "copy-days", "--site", site, "--from", str(backup))
    assert done.returncode == 1, "the backup has no alerts"
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    [copied] = [report for report in reports if "problem" not in report]
    assert copied == {"store": "sightings", "day": "2026-11-29", "rows": 1, "new": 1}
    assert [report["store"] for report in reports if "does not exist" in report.get("problem", "")] == [
        "facts",
        "facts-covert",
        "matched",
        "matched-covert",
    ]
    settled(it, load_settings(it.config, it.environment), site, 2, 0)


def test_an_address_that_is_none_and_a_database_that_is_away_are_named_without_the_password(
    installation: Installation,
) -> None:
    it, site = installation, installation.sites[0]
    for url, code, reason in (
        ("mysql://ann:secret@db/history", 2, "not an address of a PostgreSQL"),
        ("postgresql", 2, "not an address of a PostgreSQL"),
        ("postgresql://ann:secret@127.0.0.1:9/history", 3, "the history schema"),
    ):
        it.environment["ANPR_HISTORY__URL"] = url
        done = it.run("history", "--site", site)
        text = done.stderr.decode()
        assert done.returncode == code, text
        assert reason in text
        assert "secret" not in text
