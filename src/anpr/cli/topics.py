"""`anpr topics`: make the topics as the design states them."""

import click
from confluent_kafka.admin import AdminClient

from anpr import topics
from anpr.adapters.kafka_topics import by_address, compare, create_topics
from anpr.cli import settings_of
from anpr.topics import TopicSpec


@click.command(name="topics")
@click.option("--create", is_flag=True, help="Do it. Without this, only say what would be done.")
@click.pass_context
def command(ctx: click.Context, create: bool) -> None:
    """Say which topics are missing or differ from what is stated, and with --create make the missing ones.

    A topic that exists is never changed or deleted; where it differs, the difference is printed. Exit code 1 when
    something is missing or differs after the command.

    \b
    Examples:
      anpr topics
      anpr topics --create
    """
    all_well = True
    for address, specs in by_address(settings_of(ctx)).items():
        admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
        missing, differing = compare(admin, address, specs)
        for line in differing:
            click.echo(f"{address}  differs  {line}")
        for spec in missing:
            click.echo(f"{address}  {'create' if create else 'would create'}  {describe(spec)}")
        if create and missing:
            create_topics(admin, missing)
            missing = []
        click.echo(f"{address}  {len(specs) - len(missing)} of {len(specs)} topics there", err=True)
        all_well = all_well and not missing and not differing
    ctx.exit(0 if all_well else 1)


def describe(spec: TopicSpec) -> str:
    """Return the topic in one line."""
    hours = int(spec.config["retention.ms"]) / topics.HOUR_MS
    return f"{spec.name}  partitions {spec.partitions}  replication {spec.replication}  retention {hours:g} h"
