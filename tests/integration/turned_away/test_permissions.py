"""The list keeper works with the permissions that the page for engineers gives it, and with no others."""

import re
from pathlib import Path

import redis
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own examples import these from here
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from anpr.contracts import topics, turned_away
from anpr.contracts.events import encode
from anpr.kafka import topic_specs
from anpr.kafka.producer import KafkaProducer
from anpr.local.processes import wait_until
from anpr.runtime.clock import system_clock
from tests.support.entries import entry
from tests.support.installation import Installation
from tests.support.strategies import a_read, an_action, an_alert, an_entry

DOCUMENT = Path(__file__).parents[3] / "docs" / "engineers.md"
EVERYBODY = "User:ANONYMOUS"


def documented(beginning: str) -> str:
    [line] = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith(beginning)]
    return line


def rule(kind: ResourceType, name: str, operation: AclOperation, permission: AclPermissionType) -> AclBinding:
    return AclBinding(kind, name, ResourcePatternType.LITERAL, EVERYBODY, "*", operation, permission)


def test_the_list_keeper_needs_no_more_than_what_the_page_for_engineers_says(installation: Installation) -> None:
    it, site = installation, installation.sites[0]
    it.store.apply("stolen", [entry("1", "AB12CDE")], "test", system_clock())
    alert = an_alert(a_read(site=site, captured_at=system_clock()), an_entry(handling="covert"))
    outcome = an_action("1", "outcome", alert, site=site, at=system_clock(), outcome="turned_away")
    producer = KafkaProducer(it.kafka)
    producer.produce(topics.covert_alerts(site), None, encode(alert))
    producer.produce(topics.covert_actions(site), None, encode(outcome))
    assert wait_until(lambda: producer.flush(1) == 0, 60)

    home = it.environment["REDIS_URL"]
    with redis.Redis.from_url(home) as admin:
        admin.execute_command(*documented("ACL SETUSER keep ").split())
    it.environment["REDIS_URL"] = home.replace("redis://", "redis://keep:PASSWORD@")
    line = documented("kafka-acls.sh ")
    assert re.findall(r"--operation (\S+)", line) == ["Read"]
    readable = {name.replace(".S.", f".{one}.") for one in it.sites for name in re.findall(r"--topic (\S+)", line)}
    every_topic = {spec.name for one in it.sites for spec in topic_specs.specs(one, it.settings.topics)}
    assert readable < every_topic
    broker = AdminClient({"bootstrap.servers": it.kafka})
    read, everything = AclOperation.READ, AclOperation.ALL
    rules = [rule(ResourceType.TOPIC, name, read, AclPermissionType.ALLOW) for name in readable]
    rules += [rule(ResourceType.TOPIC, name, everything, AclPermissionType.DENY) for name in every_topic - readable]
    rules += [rule(ResourceType.GROUP, "anpr-tail", everything, AclPermissionType.DENY)]
    for created in broker.create_acls(rules).values():
        created.result(60)
    try:
        it.start("keep", "watchlist", "keep")

        def is_listed() -> bool:
            manifest = it.store.read_manifest()
            return manifest is not None and turned_away.LIST in manifest.lists

        assert wait_until(is_listed, 60), (it.folder / "keep.log").read_text("utf-8")
    finally:
        any_rule = AclOperation.ANY, AclPermissionType.ANY
        filters = [
            AclBindingFilter(one.restype, one.name, one.resource_pattern_type, EVERYBODY, "*", *any_rule)
            for one in rules
        ]
        for deleted in broker.delete_acls(filters).values():
            deleted.result(60)
