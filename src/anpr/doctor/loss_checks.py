"""Checks each site for reads that its broker deleted before a matcher had read them, and that nobody acknowledged."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from confluent_kafka import KafkaException

from anpr.contracts import topics
from anpr.contracts.events import Loss, Undecodable, decode_action, decode_loss
from anpr.contracts.losses import ACKNOWLEDGED, READS_LOST, Losses, SiteLosses
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
    kept = timedelta(hours=settings.topics.losses_kept_hours)
    return [
        ("reads", name, partial(check_losses, name, site.kafka, Losses(kept), clock))
        for name, site in settings.sites.items()
    ]


def check_losses(site: str, address: str, losses: Losses, clock: Clock) -> Iterable[Finding]:
    """Ask a broker for the losses of a site and for their acknowledgements."""
    try:
        for value in _losses(address, site):
            losses.add(decode_loss(value))
        if losses.by_site(clock()):
            for value in values(address, topics.actions(site), ANSWER_SECONDS):
                _add_acknowledgement(losses, value)
    except KafkaException:
        return  # the findings for this site's Kafka report the problem
    except Undecodable:
        message = "a dead letter with the reason gone cannot be read"
        yield wrong("reads", site, message, "find out which program writes to the dead-letter topic")
        return
    yield judge_losses(site, losses.by_site(clock()).get(site, SiteLosses()))


def judge_losses(site: str, losses: SiteLosses) -> Finding:
    """Report how many reads were lost, of which partitions and when, until somebody acknowledges them."""
    if not losses.unacknowledged:
        return well("reads", site, "no read was deleted before it was checked, or a person has acknowledged it")
    parts = [_where(loss) for loss in losses.unacknowledged[:_LOSSES_NAMED]]
    if (more := len(losses.unacknowledged) - _LOSSES_NAMED) > 0:
        parts.append(f"and {more} more")
    message = f"{losses.in_words(_utc)} ({'; '.join(parts)})"
    step = "find the cause, then acknowledge this on the Health page of the site's console"
    return wrong("reads", site, message, step, READS_LOST)


def _losses(address: str, site: str) -> Iterator[bytes]:
    with DeadLetters(address, site, topics.deadletters(site), ANSWER_SECONDS) as letters:
        yield from (letter.value for letter in letters.read(letters.start) if letter.is_gone)


def _add_acknowledgement(losses: Losses, value: bytes) -> None:
    try:
        action = decode_action(value)
    except Undecodable:
        return  # the boards report it
    if action.kind == ACKNOWLEDGED:
        losses.acknowledge(action)


def _where(loss: Loss) -> str:
    if loss.partition is None:
        return "the topic was deleted and created again"
    last = "?" if loss.last_offset is None else loss.last_offset
    return f"partition {loss.partition}, offsets {loss.first_offset} to {last}"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
