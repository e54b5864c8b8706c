"""A matcher on a real broker says which reads the broker deleted before it had read them."""

import json

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from anpr.contracts import topics
from anpr.contracts.events import Action, decode_loss, encode
from anpr.contracts.losses import ACKNOWLEDGED
from anpr.doctor.loss_checks import check_losses
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import entry, read_line
from tests.support.installation import Installation


def doctor_says(it: Installation, site: str) -> tuple[str, str]:
    """Return the state and the message of the doctor's finding about the deleted reads of a site."""
    (finding,) = check_losses(site, it.settings, system_clock)
    return finding.state, finding.message


def publish(it: Installation, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(it.kafka)
    for value in values:
        producer.produce(topic, "camera-1", value)
    assert wait_until(lambda: producer.flush(1) == 0, 60)


def send(it: Installation, site: str, *names: str) -> None:
    publish(it, topics.reads(site), *(read_line(name, site, "AB1") for name in names))


def test_reads_that_were_deleted_while_the_matcher_was_away_are_reported_until_acknowledged(
    installation: Installation,
) -> None:
    it, site = installation, installation.sites[0]
    it.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    it.start_matcher(site, "one")
    send(it, site, "a1", "a2", "a3")
    it.wait_until_matched(3, site)
    it.supervisor.remove("one")
    send(it, site, "a4", "a5", "a6")
    delete_all(it, topics.reads(site))
    it.start_matcher(site, "one")

    assert wait_until(lambda: bool(it.records([topics.deadletters(site)])), 60)
    (letter,) = it.records([topics.deadletters(site)])
    loss = decode_loss(letter.value or b"")
    assert (letter.reason, loss.reads, loss.last_offset) == ("gone", 3, loss.first_offset + 2)
    assert loss.since is not None
    assert loss.since < loss.until
    state, message = doctor_says(it, site)
    assert state == "wrong"
    assert "3 reads were deleted before they were checked, between" in message
    assert f"partition {loss.partition}, offsets {loss.first_offset} to {loss.last_offset}" in message
    (listed,) = [json.loads(line) for line in it.run("topics", "deadletters", "--site", site).stdout.splitlines()]
    assert (listed["reason"], listed["loss"]["last_offset"]) == ("gone", loss.last_offset)
    replayed = it.run("topics", "deadletters", "--site", site, "--replay")
    assert json.loads(replayed.stdout) == {"sent": 0, "sent_before": 0, "cut_short": 0, "gone": 1}

    now = system_clock()
    action = Action(action_id="a", alert_id=loss.loss_id, site=site, officer="sam", at=now, kind=ACKNOWLEDGED)
    publish(it, topics.actions(site), encode(action))
    assert doctor_says(it, site)[0] == "well"
    assert len(it.records([topics.deadletters(site)])) == 1


def delete_all(it: Installation, topic: str) -> None:
    """Delete every record of a topic, as the broker does after their retention."""
    admin = AdminClient({"bootstrap.servers": it.kafka})
    partitions = admin.list_topics(topic, timeout=60).topics[topic].partitions
    for deleted in admin.delete_records([TopicPartition(topic, number, -1) for number in partitions]).values():
        deleted.result(60)


@pytest.mark.parametrize("is_away", [True, False], ids=["while the matcher is away", "while the matcher runs"])
def test_a_topic_that_was_deleted_and_created_again_is_a_loss_of_unknown_size_and_all_its_new_reads_are_matched(
    installation: Installation, is_away: bool
) -> None:
    it, site = installation, installation.sites[0]
    it.store.apply("stolen", [entry("1", "AB1")], "test", system_clock())
    it.start_matcher(site, "one")
    send(it, site, "a1", "a2")
    it.wait_until_matched(2, site)
    assert wait_until(lambda: remembers_its_topic(it, site), 60)
    if is_away:
        it.supervisor.remove("one")
    create_again(it, topics.reads(site))
    # More reads than before, so that no offset of the group lies outside the new topic.
    send(it, site, *(f"b{number}" for number in range(4)))
    if is_away:
        it.start_matcher(site, "one")

    assert wait_until(lambda: bool(it.records([topics.deadletters(site)])), 60)
    assert wait_until(lambda: {f"b{number}" for number in range(4)} <= matched(it, site), 60)
    losses = {decode_loss(letter.value or b"") for letter in it.records([topics.deadletters(site)])}
    (loss,) = losses
    assert (loss.partition, loss.reads) == (None, None)
    state, message = doctor_says(it, site)
    assert state == "wrong"
    assert "an unknown number of reads were deleted before they were checked" in message
    assert "the topic was deleted and created again" in message

    if not is_away:
        return
    # The group reads the new topic now, and says nothing of it again.
    it.supervisor.remove("one")
    it.start_matcher(site, "one")
    send(it, site, "c")
    assert wait_until(lambda: "c" in matched(it, site), 60)
    assert {decode_loss(letter.value or b"") for letter in it.records([topics.deadletters(site)])} == losses


def matched(it: Installation, site: str) -> set[str]:
    return {alert.read.read_id for alert in it.alerts([site])}


def remembers_its_topic(it: Installation, site: str) -> bool:
    """Return whether the group of the matchers has noted which topic it reads."""
    consumer = Consumer({"bootstrap.servers": it.kafka, "group.id": f"anpr-match-{site}"})
    (memory,) = consumer.committed([TopicPartition(topics.deadletters(site), 0)], timeout=60)
    consumer.close()
    return bool(memory.metadata)


def create_again(it: Installation, topic: str) -> None:
    """Delete a topic, and create it again."""
    admin = AdminClient({"bootstrap.servers": it.kafka})
    count = len(admin.list_topics(topic, timeout=60).topics[topic].partitions)
    admin.delete_topics([topic])[topic].result(60)

    def is_created() -> bool:
        try:
            admin.create_topics([NewTopic(topic, count, 1)])[topic].result(60)
        except KafkaException:  # the broker may still be deleting it
            return False
        return True

    assert wait_until(is_created, 60)
