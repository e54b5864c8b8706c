"""The topics on the broker: compare them with the configuration, and create the missing ones."""

import time
from collections.abc import Iterable
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own examples import these from here
    AclOperation,
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from anpr.kafka import topic_specs
from anpr.kafka.broker_errors import is_refusal
from anpr.kafka.topic_specs import TopicSpec
from anpr.runtime.errors import AnprError, UnavailableError
from anpr.runtime.settings import Settings

ANSWER_SECONDS = 10
# A broker that has just accepted a topic may need a while until it serves it, more on a busy machine.
_READY_SECONDS: Final = 60.0
_ASK_AGAIN_SECONDS: Final = 0.1


def specs_by_address(settings: Settings) -> dict[str, list[TopicSpec]]:
    """Return the topics that each broker must have, by the broker's address."""
    by_address: dict[str, list[TopicSpec]] = {}
    for site, servers in settings.sites.items():
        by_address.setdefault(servers.kafka, []).extend(topic_specs.specs(site, settings.topics))
    return by_address


def compare_topics(
    admin: AdminClient, address: str, specs: list[TopicSpec], wait_seconds: float = ANSWER_SECONDS
) -> tuple[list[TopicSpec], list[str]]:
    """Return the missing topics, and a line for each difference between an existing topic and its spec."""
    try:
        existing = admin.list_topics(timeout=wait_seconds).topics
    except KafkaException as error:
        raise UnavailableError(
            "kafka-unavailable",
            f"the Kafka at {address} does not answer: {error.args[0].str()}",
            "check that it runs and that its address is right",
        ) from None
    existing_specs = [spec for spec in specs if spec.name in existing]
    resources = [ConfigResource(ResourceType.TOPIC, spec.name) for spec in existing_specs]
    configs = admin.describe_configs(resources, request_timeout=wait_seconds) if resources else {}
    # A broker does not list the topics that this user may not see.
    missing = [spec for spec in specs if spec.name not in existing]
    hidden = permitted_operations(admin, [spec.name for spec in missing], wait_seconds)
    differing = [f"{spec.name}  exists, but this user may not see it" for spec in missing if spec.name in hidden]
    for spec, resource in zip(existing_specs, resources, strict=True):
        try:
            values = configs[resource].result()
        except KafkaException as error:
            if not is_refusal(error.args[0]):
                raise
            differing.append(f"{spec.name}  this user may not see its settings")
            continue
        actual = {"partitions": str(len(existing[spec.name].partitions))} | {k: values[k].value for k in spec.config}
        for key, configured in ({"partitions": str(spec.partitions)} | spec.config).items():
            if actual[key] != configured:
                differing.append(f"{spec.name}  {key} is {actual[key]}, configured {configured}")
    return [spec for spec in missing if spec.name not in hidden], differing


def permitted_operations(admin: AdminClient, names: Iterable[str], wait_seconds: float) -> dict[str, frozenset[str]]:
    """Return which of READ and WRITE this user may do on each topic that exists. Raises KafkaException."""
    topic_names = list(names)
    if not topic_names:
        return {}
    answers = admin.describe_topics(
        TopicCollection(topic_names), include_authorized_operations=True, request_timeout=wait_seconds
    )
    operations_by_topic: dict[str, frozenset[str]] = {}
    for name, answer in answers.items():
        try:
            permitted = answer.result().authorized_operations or ()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                operations_by_topic[name] = frozenset()
            elif error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
        else:
            operations_by_topic[name] = frozenset(
                {"READ", "WRITE"} & {AclOperation(operation).name for operation in permitted}
            )
    return operations_by_topic


def create_topics(admin: AdminClient, specs: list[TopicSpec]) -> None:
    """Create the topics, and return when each can be used.

    Raises AnprError naming the first one that the broker refuses, UnavailableError when one is not ready in time.
    """
    new_topics = [
        NewTopic(s.name, num_partitions=s.partitions, replication_factor=s.replication, config=s.config)
        for s in specs
    ]
    for name, creation in admin.create_topics(new_topics, operation_timeout=ANSWER_SECONDS).items():
        try:
            creation.result()
        except KafkaException as error:
            raise AnprError(
                "topic-not-made",
                f"the broker did not create topic {name}: {error.args[0].str()}",
                "see the broker's reason: too few brokers for the replication, or no permission to create topics",
            ) from None
    names = {spec.name for spec in specs}
    until = time.monotonic() + _READY_SECONDS
    while not_ready := names - _ready_topics(admin):
        if time.monotonic() > until:
            raise UnavailableError(
                "kafka-unavailable",
                f"topic {min(not_ready)} was created, but no broker has it after {_READY_SECONDS:g} s",
                "check that the brokers run; this user needs the right to see the topics that it creates",
            )
        time.sleep(_ASK_AGAIN_SECONDS)


def _ready_topics(admin: AdminClient) -> set[str]:
    """Return the topics of which every partition has a leader; none while the broker does not answer."""
    try:
        found = admin.list_topics(timeout=ANSWER_SECONDS).topics
    except KafkaException:
        return set()
    return {
        name
        for name, topic in found.items()
        if topic.partitions and not any(partition.error for partition in topic.partitions.values())
    }
