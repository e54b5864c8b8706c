"""`anpr topics`: make the topics as the design states them; `anpr topics deadletters`: what could not be matched."""

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
from anpr.kafka.errors import UndeliveredError
from anpr.kafka.producer import KafkaProducer
from anpr.kafka.topic_admin import compare_topics, create_topics, specs_by_address
from anpr.kafka.topic_specs import TopicSpec
from anpr.reads.decoder import BadRead, decode_read
from anpr.runtime.errors import UnavailableError
from anpr.runtime.settings import Settings

# How long a broker may take for all that a replay has handed over.
DELIVERED_SECONDS = 60


@click.group(name="topics", invoke_without_command=True)
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
      anpr topics deadletters --site calais
    """
    if ctx.invoked_subcommand is None:
        _compare(ctx, create)


def _compare(ctx: click.Context, create: bool) -> None:
    all_well = True
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
        click.echo(f"{address}  {len(specs) - len(missing)} of {len(specs)} topics there", err=True)
        all_well = all_well and not missing and not differing
    ctx.exit(0 if all_well else 1)


def describe(spec: TopicSpec) -> str:
    """Return the topic in one line."""
    hours = int(spec.config["retention.ms"]) / topic_specs.HOUR_MS
    return f"{spec.name}  partitions {spec.partitions}  replication {spec.replication}  retention {hours:g} h"


@command.command()
@click.option("--site", required=True, help="The site whose dead letters are meant.")
@click.option("--last", default=100, show_default=True, type=click.IntRange(1), help="List so many, the newest.")
@click.option("--with-plates", is_flag=True, help="Also print what each record holds, plates included.")
@click.option("--replay", "do_replay", is_flag=True, help="Send to the reads topic what was not sent again yet.")
@click.option("--again", is_flag=True, help="With --replay: also what was sent again before.")
@click.pass_context
def deadletters(ctx: click.Context, site: str, last: int, with_plates: bool, do_replay: bool, again: bool) -> None:  # noqa: PLR0913, PLR0917  click hands over one argument for each option
    """List the records of a site that could not be matched, as JSON lines, or send them again.

    A line says when, why, from where (topic, partition, offset), whether it was sent again (is_replayed), and
    whether it had been before and failed again. --replay sends the original bytes, each content once, and keeps
    account of it at the broker; what has failed again is sent only with --again. What is longer than 1 MB was cut
    short and is not sent.

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
        waiting = 0
        for letter in letters.read(min(letters.end - last, letters.replayed_until)):
            waiting += letter.waits
            if letter.number >= letters.end - last:
                click.echo(msgspec.json.encode(letter.told(with_content=with_plates)))
        click.echo(f"{letters.end - letters.start} dead letters of {site}, {waiting} not sent again yet", err=True)


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

    done = replay(letters.read(letters.start), send, again=again)
    if left := producer.flush(DELIVERED_SECONDS):
        raise UnavailableError(
            "replay-not-whole",
            f"the broker has not taken {left} of {done.sent} dead letters within {DELIVERED_SECONDS} s",
            "run the same command again: what it has taken twice counts once",
        )
    letters.note_replayed(letters.end)
    click.echo(msgspec.json.encode(done))
    click.echo(
        f"{done.sent} sent again, {done.sent_before} were before, {done.cut_short} are cut short and cannot be"
        + (f"; see what fails again: anpr topics deadletters --site {site}" if done.sent else ""),
        err=True,
    )


def _camera(letter: DeadLetter, site: str) -> str | None:
    """Return the key of a reads topic, by which a camera's reads stay in order."""
    try:
        return decode_read(letter.value, site, letter.at).camera
    except BadRead:
        return None
