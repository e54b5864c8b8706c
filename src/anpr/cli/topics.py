"""`anpr topics`: create the topics of the settings; `anpr topics deadletters`: list or replay dead letters."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import click
import msgspec
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from anpr.cli import check_site, settings_of
from anpr.contracts import topics
from anpr.contracts.dead_letters import REPLAYED, DeadLetter, replay
from anpr.kafka import topic_specs
from anpr.kafka.broker_errors import refused
from anpr.kafka.dead_letter_topic import DeadLetters
from anpr.kafka.delivery_errors import UndeliveredError
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.topic_admin import compare_topics, create_topics, specs_by_address
from anpr.kafka.topic_specs import TopicSpec
from anpr.reads.decoder import BadRead, decode_read
from anpr.runtime.errors import UnavailableError
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings

# How long the broker may take to acknowledge a whole replay.
DELIVERED_SECONDS = 60


@click.group(name="topics", invoke_without_command=True)
@click.option(
    "--create", is_flag=True, help="Create the missing topics. Without this, only say what would be created."
)
@click.pass_context
def command(ctx: click.Context, create: bool) -> None:
    """Compare the topics on each broker with the settings.

    --create creates the missing ones. A topic that exists is never changed or deleted: differences are only printed.
    Exit code 1: a topic is still missing or different after the command.

    \b
    Examples:
      anpr topics
      anpr topics --create
      anpr topics deadletters --site calais
    """
    if ctx.invoked_subcommand is None:
        _compare(ctx, create)


def _compare(ctx: click.Context, create: bool) -> None:
    is_right = True
    for address, specs in specs_by_address(settings_of(ctx)).items():
        admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
        missing, differing = compare_topics(admin, address, specs)
        for line in differing:
            click.echo(f"{address}  differs  {line}")
        for spec in missing:
            click.echo(f"{address}  {'create' if create else 'would create'}  {describe(spec)}")
        if create and missing:
            create_topics(admin, missing)
            missing = []
        click.echo(f"{address}  {len(specs) - len(missing)} of {len(specs)} topics exist", err=True)
        is_right = is_right and not missing and not differing
    ctx.exit(0 if is_right else 1)


def describe(spec: TopicSpec) -> str:
    """Return the topic in one line."""
    hours = int(spec.config["retention.ms"]) / topic_specs.HOUR_MS
    return f"{spec.name}  partitions {spec.partitions}  replication {spec.replication}  retention {hours:g} h"


@command.command()
@click.option("--site", required=True, help="The site whose dead letters to list.")
@click.option(
    "--last", default=100, show_default=True, type=click.IntRange(1), help="How many to list, the newest ones."
)
@click.option("--with-plates", is_flag=True, help="Also print the content of each record, plates included.")
@click.option("--replay", "do_replay", is_flag=True, help="Send the waiting dead letters to the reads topic again.")
@click.option("--again", is_flag=True, help="With --replay: also send records that failed again.")
@click.pass_context
def deadletters(ctx: click.Context, site: str, last: int, with_plates: bool, do_replay: bool, again: bool) -> None:  # noqa: PLR0913, PLR0917  click hands over one argument for each option
    """List records that could not be matched, or replay them.

    Each record is a JSON line that says when it came, why it could not be matched and where it was (topic, partition,
    offset). is_replayed: it has been sent again since. has_failed_again: it was sent again before, and failed again.

    --replay sends the original bytes, and identical records only once. The broker remembers what was sent. Records
    that failed again are sent only with --again. Records longer than 1 MB were cut short and are never sent.

    The reason "gone" means that the broker deleted reads before they were matched. There is nothing to send. `loss`
    says how many reads, of which partition, and when they arrived.

    \b
    Examples:
      anpr topics deadletters --site calais
      anpr topics deadletters --site calais --replay
    """
    settings = settings_of(ctx)
    check_site(settings, site)
    if again and not do_replay:
        raise click.UsageError("--again needs --replay")
    with _opened(settings, site) as letters:
        if do_replay:
            _replay(settings, site, letters, again=again)
            return
        waiting, lines = 0, deque[bytes](maxlen=last)
        for letter in letters.newest(last):
            waiting += letter.can_be_replayed
            lines.append(msgspec.json.encode(letter.as_dict(with_content=with_plates)))
        for line in lines:
            click.echo(line)
        click.echo(f"{counted(len(letters), 'dead letter')} of {site}, {waiting} not sent again yet", err=True)


@contextmanager
def _opened(settings: Settings, site: str) -> Iterator[DeadLetters]:
    address = settings.sites[site].kafka
    try:
        with DeadLetters(address, site, topics.deadletters(site)) as letters:
            yield letters
    except (KafkaException, UndeliveredError) as error:
        raise refused(f"the dead letters of {site} at {address}", error) from None


def _replay(settings: Settings, site: str, letters: DeadLetters, *, again: bool) -> None:
    producer = KafkaProducer(settings.sites[site].kafka)

    def send(letter: DeadLetter) -> None:
        producer.produce(topics.reads(site), _camera(letter, site), letter.value, {REPLAYED: b"1"})

    counts = replay(letters.all(), send, again=again)
    if left := producer.flush(DELIVERED_SECONDS):
        raise UnavailableError(
            "replay-not-whole",
            f"the broker has not acknowledged {left} of {counts.sent} dead letters within {DELIVERED_SECONDS} s",
            "run the same command again: a read that is sent twice counts once",
        )
    letters.note_replayed()
    click.echo(msgspec.json.encode(counts))
    click.echo(
        f"{counts.sent} sent again, {counts.sent_before} had been sent before, "
        f"{counts.cut_short} cannot be sent: cut short, {counts.gone} stand for reads that the broker deleted"
        + (f"; to see which fail again: anpr topics deadletters --site {site}" if counts.sent else ""),
        err=True,
    )


def _camera(letter: DeadLetter, site: str) -> str | None:
    """Return the camera as the key of the record, so that the reads of a camera stay in order."""
    try:
        return decode_read(letter.value, site, letter.at).camera
    except BadRead:
        return None
