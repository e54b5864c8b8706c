"""Topics can be used as soon as they are created."""

from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException

from anpr.kafka import topic_admin
from anpr.kafka.topic_admin import create_topics
from anpr.kafka.topic_specs import TopicSpec
from anpr.runtime.errors import UnavailableError

SPEC = TopicSpec("alerts", 1, 1, {})


def listed(error: KafkaError | None) -> dict[str, Any]:
    return {"alerts": SimpleNamespace(partitions={0: SimpleNamespace(error=error)})}


class Admin:
    """The client of a broker that accepts a topic at once, and serves it as these answers say."""

    def __init__(self, *answers: dict[str, Any] | None) -> None:
        self.answers: Iterator[dict[str, Any] | None] = iter(answers)

    def create_topics(self, new: list[Any], **_: object) -> dict[str, Future[None]]:
        done: Future[None] = Future()
        done.set_result(None)
        return {topic.topic: done for topic in new}

    def list_topics(self, **_: object) -> SimpleNamespace:
        answer = next(self.answers)
        if answer is None:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return SimpleNamespace(topics=answer)


def test_a_topic_is_created_when_the_broker_lists_it_and_each_partition_has_a_leader() -> None:
    admin = Admin(None, {}, listed(KafkaError(KafkaError.LEADER_NOT_AVAILABLE)), listed(None), {})
    create_topics(cast("Any", admin), [SPEC])
    assert list(admin.answers) == [{}], "it asked until then, and no longer"


def test_a_topic_that_no_broker_serves_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_admin, "_READY_SECONDS", 0.0)
    with pytest.raises(UnavailableError, match="topic alerts was created, but no broker has it"):
        create_topics(cast("Any", Admin({}, {})), [SPEC])
