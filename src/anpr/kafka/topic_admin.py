"""The topics on the broker: what is there against what is stated, and making what is missing."""

from collections.abc import Iterable

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


def by_address(settings: Settings) -> dict[str, list[TopicSpec]]:
    """Return the topics to be had at each broker address."""
    wanted: dict[str, list[TopicSpec]] = {}
    for site, servers in settings.sites.items():
        wanted.setdefault(servers.kafka, []).extend(topic_specs.specs(site, settings.topics))
    return wanted


def compare(
    admin: AdminClient, address: str, specs: list[TopicSpec], wait_seconds: float = ANSWER_SECONDS
) -> tuple[list[TopicSpec], list[str]]:
    """Return the topics that are missing, and a line for each difference of those that are not."""
    try:
        there = admin.list_topics(timeout=wait_seconds).topics
    except KafkaException as error:
        raise UnavailableError(
            "kafka-unavailable",
            f"the Kafka at {address} does not answer: {error.args[0].str()}",
            "is it running, and is its address right?",
        ) from None
    known = [spec for spec in specs if spec.name in there]
    resources = [ConfigResource(ResourceType.TOPIC, spec.name) for spec in known]
    configs = admin.describe_configs(resources, request_timeout=wait_seconds) if resources else {}
    # A broker does not list what this user may not see.
    missing = [spec for spec in specs if spec.name not in there]
    seen = rights(admin, [spec.name for spec in missing], wait_seconds)
    differing = [f"{spec.name}  is not for this user to see" for spec in missing if spec.name in seen]
    for spec, resource in zip(known, resources, strict=True):
        try:
            values = configs[resource].result()
        except KafkaException as error:
            if not is_refusal(error.args[0]):
                raise
            differing.append(f"{spec.name}  its settings are not for this user to see")
            continue
        actual = {"partitions": str(len(there[spec.name].partitions))} | {k: values[k].value for k in spec.config}
        for key, wanted in ({"partitions": str(spec.partitions)} | spec.config).items():
            if actual[key] != wanted:
                differing.append(f"{spec.name}  {key} is {actual[key]}, stated {wanted}")
    return [spec for spec in missing if spec.name not in seen], differing


def rights(admin: AdminClient, names: Iterable[str], wait_seconds: float) -> dict[str, frozenset[str]]:
    """Return which of READ and WRITE this user may do with each topic that exists. Raises KafkaException."""
    wanted = list(names)
    if not wanted:
        return {}
    asked = admin.describe_topics(
        TopicCollection(wanted), include_authorized_operations=True, request_timeout=wait_seconds
    )
    found: dict[str, frozenset[str]] = {}
    for name, answer in asked.items():
        try:
            may = answer.result().authorized_operations or ()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                found[name] = frozenset()
            elif error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise
        else:
            found[name] = frozenset({"READ", "WRITE"} & {AclOperation(one).name for one in may})
    return found


def create_topics(admin: AdminClient, specs: list[TopicSpec]) -> None:
    """Make the topics. Raises AnprError naming the first that the broker refused."""
    wanted = [
        NewTopic(s.name, num_partitions=s.partitions, replication_factor=s.replication, config=s.config)
        for s in specs
    ]
    for name, made in admin.create_topics(wanted, operation_timeout=ANSWER_SECONDS).items():
        try:
            made.result()
        except KafkaException as error:
            raise AnprError(
                "topic-not-made",
                f"topic {name} was not made: {error.args[0].str()}",
                "the broker says why: too few brokers for the replication, or no right to make topics",
            ) from None
