"""Checks each site for reads that its broker deleted before a matcher had read them, and that nobody acknowledged."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from confluent_kafka import KafkaException

from anpr.contracts import topics
from anpr.contracts.events import Action, Loss
from anpr.contracts.losses import ACKNOWLEDGED, READS_LOST, Losses, SiteLosses
from anpr.contracts.site_topics import UNREADABLE, SiteTopic, decode
from anpr.doctor.findings import Check, Finding, well, wrong
from anpr.kafka.consumer_group import values
from anpr.kafka.dead_letter_topic import DeadLetters
from anpr.runtime.clock import Clock
from anpr.runtime.settings import Settings

ANSWER_SECONDS = 3.0
# More losses than this are only counted.
_LOSSES_NAMED = 3


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return one check for each site."""
    return [("reads", name, partial(check_losses, name, settings, clock)) for name in settings.sites]


def check_losses(site: str, settings: Settings, clock: Clock) -> Iterable[Finding]:
    """Ask a site's broker for its losses, and the brokers of all sites for their acknowledgements."""
    losses = Losses(timedelta(hours=settings.topics.losses_kept_hours))
    topic, unreadable = SiteTopic(site, "dead letters"), 0
    try:
        for value in _losses(settings.sites[site].kafka, site):
            try:
                loss = decode(value, topic)
            except UNREADABLE:
                unreadable += 1
            else:
                if isinstance(loss, Loss):
                    losses.add(loss)
    except KafkaException:
        return  # the findings for this site's Kafka report the problem
    if unreadable:
        message = f"dead letters with the reason gone that cannot be read: {unreadable}"
        yield wrong("reads", site, message, "find out which program writes to the dead-letter topic")
    if losses.by_site(clock()):
        for name, console_site in settings.sites.items():
            for action in _acknowledgements(console_site.kafka, name):
                losses.acknowledge(action)
    yield judge_losses(site, losses.by_site(clock()).get(site, SiteLosses()))


def judge_losses(site: str, losses: SiteLosses) -> Finding:
    """Report how many reads were lost, of which partitions and when, until somebody acknowledges them."""
    if not losses.unacknowledged:
        return well("reads", site, "no deleted reads to acknowledge")
    parts = [_where(loss) for loss in losses.unacknowledged[:_LOSSES_NAMED]]
    if (more := len(losses.unacknowledged) - _LOSSES_NAMED) > 0:
        parts.append(f"and {more} more")
    message = f"{losses.in_words(_utc)} ({'; '.join(parts)})"
    step = "find the cause, then acknowledge this on the Health page of the site's console"
    return wrong("reads", site, message, step, READS_LOST)


def _losses(address: str, site: str) -> Iterator[bytes]:
    with DeadLetters(address, site, topics.deadletters(site), ANSWER_SECONDS) as letters:
        yield from (letter.value for letter in letters.all() if letter.is_gone)


def _acknowledgements(address: str, site: str) -> Iterator[Action]:
    """Yield the acknowledgements from the console of a site, none while its broker does not answer."""
    with suppress(KafkaException):
        for value in values(address, topics.actions(site), ANSWER_SECONDS):
            with suppress(*UNREADABLE):  # the boards report such a record
                action = decode(value, SiteTopic(site, "actions"))
                if isinstance(action, Action) and action.kind == ACKNOWLEDGED:
                    yield action


def _where(loss: Loss) -> str:
    if loss.partition is None:
        return "the topic was deleted and created again"
    last = "?" if loss.last_offset is None else loss.last_offset
    return f"partition {loss.partition}, offsets {loss.first_offset} to {last}"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
