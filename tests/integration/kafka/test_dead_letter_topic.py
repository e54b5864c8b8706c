"""Dead letters, listed and replayed with the command of the engineers."""

import json
import time
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own examples import these from here
    AdminClient,
    NewPartitions,
)

from anpr.contracts import topics
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import entry, read_line
from tests.support.installation import Installation

BAD = [b"not json", b'{"read_id": "x", "plate": "QX97ZZZ"}', b"\xff\xfe"]


def listed(it: Installation, site: str, *options: str) -> list[dict[str, Any]]:
    done = it.run("topics", "deadletters", "--site", site, *options)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def replayed(it: Installation, site: str, *options: str) -> dict[str, int]:
    (done,) = listed(it, site, "--replay", *options)
    return done


@pytest.fixture
def site(installation: Installation) -> str:
    """Return a site with dead letters and a matcher."""
    site = installation.sites[0]
    installation.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    installation.start_matcher(site, "one")
    installation.run("send", "--site", site, input=b"\n".join([*BAD, read_line("good", site, "AB1")]))
    installation.wait_until_matched(4, site)
    return site


def test_dead_letters_are_listed_with_reason_and_position_but_no_plate(installation: Installation, site: str) -> None:
    letters = listed(installation, site)
    assert sorted(letter["reason"] for letter in letters) == ["no usable site", "not JSON", "not JSON"]
    assert {letter["topic"] for letter in letters} == {topics.reads(site)}
    assert all(not letter["is_replayed"] and letter["is_whole"] for letter in letters)
    assert "QX97" not in json.dumps(letters)
    assert "QX97ZZZ" in json.dumps(listed(installation, site, "--with-plates"))
    assert len(listed(installation, site, "--last", "2")) == 2
    assert listed(installation, installation.sites[1]) == []


def test_dead_letters_are_replayed_once_in_their_original_bytes(installation: Installation, site: str) -> None:
    assert replayed(installation, site) == {"sent": 3, "sent_before": 0, "cut_short": 0, "gone": 0}
    installation.wait_until_matched(7, site)
    on_topic = [record.value for record in installation.records([topics.reads(site)])]
    assert all(on_topic.count(bad) == 2 for bad in BAD)
    # They fail again and become dead letters a second time: that alone is no reason to replay them.
    assert wait_until(lambda: len(listed(installation, site)) == 6, 60)
    assert replayed(installation, site) == {"sent": 0, "sent_before": 6, "cut_short": 0, "gone": 0}
    assert all(letter["is_replayed"] for letter in listed(installation, site))
    assert replayed(installation, site, "--again") == {"sent": 3, "sent_before": 3, "cut_short": 0, "gone": 0}


def test_a_record_that_failed_again_is_not_sent_a_third_time_after_its_first_failure_expired(
    installation: Installation, site: str
) -> None:
    assert replayed(installation, site)["sent"] == 3
    assert wait_until(lambda: len(listed(installation, site)) == 6, 60)
    assert [letter["has_failed_again"] for letter in listed(installation, site)] == [False] * 3 + [True] * 3
    summary = installation.run("topics", "deadletters", "--site", site).stderr
    assert b"6 dead letters" in summary
    assert b"0 not sent again yet" in summary

    forget(installation, topics.deadletters(site), 3)
    assert len(listed(installation, site)) == 3
    assert replayed(installation, site) == {"sent": 0, "sent_before": 3, "cut_short": 0, "gone": 0}
    assert replayed(installation, site, "--again") == {"sent": 3, "sent_before": 0, "cut_short": 0, "gone": 0}


def forget(it: Installation, topic: str, until: int) -> None:
    """Delete the records before an offset, as the broker does after their retention."""
    admin, end = AdminClient({"bootstrap.servers": it.kafka}), TopicPartition(topic, 0, until)
    admin.delete_records([end])[end].result(60)


def milliseconds() -> int:
    return time.time_ns() // 1_000_000


def test_dead_letters_in_added_partitions_are_listed_and_replayed_like_all_others(installation: Installation) -> None:
    site = installation.sites[0]
    assert installation.run("topics", "--create").returncode == 0
    topic = topics.deadletters(site)
    admin = AdminClient({"bootstrap.servers": installation.kafka})
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(60)
    assert wait_until(lambda: len(admin.list_topics(topic).topics[topic].partitions) == 3, 60)
    producer = Producer({"bootstrap.servers": installation.kafka})

    def write(partition: int, value: bytes) -> None:
        producer.produce(topic, value, partition=partition, headers={"reason": value})
        assert producer.flush(60) == 0
        written_at = milliseconds()
        # The next one is newer by Kafka's times, which are whole milliseconds.
        assert wait_until(lambda: milliseconds() > written_at, 60)

    for partition, value in [(2, b"a"), (0, b"b"), (2, b"c"), (0, b"a")]:
        write(partition, value)
    assert [letter["reason"] for letter in listed(installation, site)] == ["a", "b", "c", "a"], "the oldest first"
    assert [letter["reason"] for letter in listed(installation, site, "--last", "2")] == ["c", "a"]

    assert replayed(installation, site) == {"sent": 3, "sent_before": 1, "cut_short": 0, "gone": 0}
    write(1, b"d")
    summary = installation.run("topics", "deadletters", "--site", site, "--last", "1").stderr
    assert b"5 dead letters" in summary
    assert b"1 not sent again yet" in summary
    assert replayed(installation, site) == {"sent": 1, "sent_before": 4, "cut_short": 0, "gone": 0}
    sent = [record.value for record in installation.records([topics.reads(site)])]
    assert sorted(value or b"" for value in sent) == [b"a", b"b", b"c", b"d"]


def test_a_site_without_the_topic_gets_an_error_in_words(installation: Installation, site: str) -> None:
    assert installation.run("topics", "deadletters", "--site", "nowhere").returncode == 2
    installation.environment["KAFKA_BOOTSTRAP"] = "127.0.0.1:1"
    done = installation.run("topics", "deadletters", "--site", site)
    assert done.returncode == 3
    assert b"error: the dead letters of" in done.stderr
