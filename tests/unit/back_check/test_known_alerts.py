"""An alert that a site has published is known, whenever it came after its read."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from anpr.back_check.known_alerts import KnownAlerts
from anpr.contracts.events import Alert, Read, encode
from anpr.contracts.site_topics import SiteTopic
from anpr.history.fact import facts_of
from anpr.history.recorder import Recorder
from anpr.history.retention import KeptStores
from anpr.kafka.interfaces import Record
from tests.support.history import SITE, TopicInMemory, at
from tests.support.kept_stores import kept_stores
from tests.support.strategies import a_read, an_alert, an_entry

DAY = 86_400


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[KeptStores]:
    with closing(kept_stores(tmp_path, "", "")) as stores:
        yield stores


def alert_of(read: Read, handling: str = "open") -> Alert:
    return an_alert(read, an_entry(handling, handling=handling))


def publish(stores: KeptStores, alert: Alert, seconds: float) -> None:
    """Let history keep an alert that came so long after the evening of the read."""
    store = stores.covert_facts if alert.is_covert else stores.facts
    topic = TopicInMemory([Record("topic", 0, 0, at(seconds), encode(alert))], f"alerts {seconds}")
    Recorder(topic, store, partial(facts_of, SiteTopic(SITE, "alerts"))).run_once(0)


@pytest.mark.parametrize("seconds", [-DAY, 0, 5, 3 * DAY, 40 * DAY], ids=str)
@pytest.mark.parametrize("handling", ["open", "covert"])
def test_an_alert_that_history_has_is_known(stores: KeptStores, seconds: float, handling: str) -> None:
    alert = alert_of(a_read(captured_at=at(0)), handling)
    publish(stores, alert, seconds)
    other = alert_of(a_read("another", captured_at=at(60 * DAY)), handling)
    known = KnownAlerts(stores.facts, stores.covert_facts)
    assert known([alert, other]) == {alert.alert_id}
    assert known([other]) == known([]) == set()


def test_an_alert_about_a_read_without_a_time_is_known(stores: KeptStores) -> None:
    alert = an_alert(a_read(captured_at=None), an_entry(), raised_at=at(30 * DAY))
    publish(stores, alert, 0)
    assert KnownAlerts(stores.facts, stores.covert_facts)([alert]) == {alert.alert_id}
