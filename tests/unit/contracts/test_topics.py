from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from anpr.contracts import topics
from anpr.kafka import topic_specs
from anpr.runtime.settings import TopicSettings
from anpr.runtime.settings_files import load_settings
from anpr.watchlist.store.home import tombstone_retention
from tests.support.strategies import a_read, an_action, an_alert, an_entry

SITES = tuple(load_settings(Path(__file__).parents[3] / "config", {}).sites)


def specs(site: str = "calais", **fields: Any) -> dict[str, topic_specs.TopicSpec]:
    return {spec.name: spec for spec in topic_specs.specs(site, TopicSettings(**fields))}


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("hours", [0.01, 1.234567, 96, 24 * 365])
def test_nothing_outlives_its_retention_by_more_than_a_tenth(site: str, hours: float) -> None:
    owned = specs(
        site,
        reads_retention_hours=hours,
        alerts_retention_hours=hours,
        deadletters_retention_hours=hours,
        audit_heads_retention_hours=hours,
    )
    for spec in owned.values():
        segment, retention = int(spec.config["segment.ms"]), int(spec.config["retention.ms"])
        assert 0 < segment <= retention / 10, spec.name


@pytest.mark.parametrize("site", SITES)
def test_a_site_owns_each_of_its_topics_once(site: str) -> None:
    names = [spec.name for spec in topic_specs.specs(site, TopicSettings())]
    of = (
        topics.reads,
        topics.alerts,
        topics.covert_alerts,
        topics.actions,
        topics.covert_actions,
        topics.arrivals,
        topics.covert_arrivals,
        topics.deadletters,
        topics.status,
        topics.audit_heads,
    )
    assert names == [name(site) for name in of]
    assert len(set(names)) == len(of)


def test_no_two_sites_share_a_topic() -> None:
    names = [name for site in SITES for name in specs(site)]
    assert len(set(names)) == len(names)


def test_each_topic_has_the_retention_of_the_settings() -> None:
    owned = specs(
        reads_retention_hours=1,
        alerts_retention_hours=2,
        deadletters_retention_hours=3,
        audit_heads_retention_hours=4,
    )
    hours = {name: int(spec.config["retention.ms"]) / 3_600_000 for name, spec in owned.items()}
    assert hours == {
        "anpr.calais.reads.v1": 1,
        "anpr.calais.alerts.v1": 2,
        "anpr.calais.alerts-covert.v1": 2,
        "anpr.calais.actions.v1": 2,
        "anpr.calais.actions-covert.v1": 2,
        "anpr.calais.arrivals.v1": 2,
        "anpr.calais.arrivals-covert.v1": 2,
        "anpr.calais.deadletters.v1": 3,
        "anpr.calais.status.v1": 1,
        "anpr.calais.audit-heads.v1": 4,
    }


def test_actions_have_one_partition_whatever_the_other_topics_have() -> None:
    owned = specs(reads_partitions=6, alerts_partitions=3)
    assert owned[topics.actions("calais")].partitions == owned[topics.covert_actions("calais")].partitions == 1
    assert owned[topics.reads("calais")].partitions == 6
    assert owned[topics.alerts("calais")].partitions == owned[topics.covert_alerts("calais")].partitions == 3


@pytest.mark.parametrize(("copies", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_a_record_is_accepted_while_at_most_one_of_several_brokers_is_away(copies: int, in_sync: str) -> None:
    for spec in specs(replication=copies).values():
        assert spec.replication == copies
        assert spec.config["min.insync.replicas"] == in_sync


def test_the_largest_record_of_the_reads_topic_fits_into_the_dead_letters() -> None:
    owned = specs()
    reads, dead = (int(owned[of("calais")].config["max.message.bytes"]) for of in (topics.reads, topics.deadletters))
    assert reads < dead


@pytest.mark.parametrize(
    ("handling", "is_covert"),
    [("open", False), ("covert", True), ("of a later version", True), ("", True), ("Open", True)],
)
def test_only_an_alert_with_the_open_handling_goes_to_the_open_topic(handling: str, is_covert: bool) -> None:
    alert = an_alert(a_read(site="dover"), an_entry(handling=handling))
    assert (alert.is_covert, alert.entry.is_covert) == (is_covert, is_covert)
    assert topics.of_alert(alert) == f"anpr.dover.alerts{'-covert' if is_covert else ''}.v1"


@pytest.mark.parametrize(
    ("is_covert", "topic"), [(False, "anpr.dover.actions.v1"), (True, "anpr.dover.actions-covert.v1")]
)
def test_an_action_goes_to_the_topic_of_its_audience(is_covert: bool, topic: str) -> None:
    alert = an_alert(a_read(site="calais"), an_entry())
    claim = an_action("1", "claimed", alert, site="dover")
    assert topics.of_action(topics.AddressedAction(claim, is_covert)) == topic


def test_the_covert_topics_of_a_site_are_those_of_its_covert_alerts_actions_and_arrivals() -> None:
    assert topics.covert("dover") == (
        "anpr.dover.alerts-covert.v1",
        "anpr.dover.actions-covert.v1",
        "anpr.dover.arrivals-covert.v1",
    )


@pytest.mark.parametrize(
    ("kind", "clock_suspect", "is_trusted"),
    [("live", False, True), ("live", True, False), ("late", False, False), ("retrospective", False, False)],
)
def test_only_a_live_alert_from_a_right_clock_has_a_trusted_latency(
    kind: str, clock_suspect: bool, is_trusted: bool
) -> None:
    alert = an_alert(a_read(clock_suspect=clock_suspect), an_entry(), kind=kind)
    assert alert.has_trusted_latency == is_trusted


def test_an_ended_entry_is_remembered_as_long_as_the_alerts_that_it_raised() -> None:
    assert tombstone_retention(TopicSettings(alerts_retention_hours=1.5)) == timedelta(minutes=90)
