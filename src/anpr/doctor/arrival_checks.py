"""Checks that somebody meets arrivals at each port with cameras to which a ferry or shuttle leads."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Final

from confluent_kafka import KafkaException

from anpr.contracts import topics
from anpr.contracts.events import ARRIVALS_UNWATCHED_AFTER, ArrivalsWatched
from anpr.contracts.site_topics import UNREADABLE, SiteTopic, check_time, decode
from anpr.doctor.findings import Check, Finding, well, wrong
from anpr.kafka.consumer_group import last_records
from anpr.runtime.clock import Clock
from anpr.runtime.durations import in_words
from anpr.runtime.settings import Settings

ANSWER_SECONDS = 3.0
_KIND: Final = "arrivals"


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return a check of each port where expected vehicles are seen to arrive."""
    return [(_KIND, site, partial(check, site, settings.sites[site].kafka, clock)) for site in settings.arrival_sites]


def check(site: str, address: str, clock: Clock) -> Iterable[Finding]:
    """Ask a site's broker until when arrivals were met there."""
    try:
        until = max(_watched(site, address), default=None)
    except KafkaException:
        return  # the findings for this site's Kafka report the problem
    yield judge(site, until, clock())


def judge(site: str, until: datetime | None, now: datetime) -> Finding:
    """Report whether arrivals are met."""
    if until is None:
        message = "nobody checks arrivals: who has come is still shown as expected"
        return wrong(_KIND, site, message, f"start `anpr meet --site {site}` beside the site's history")
    silence = now - until
    if silence > ARRIVALS_UNWATCHED_AFTER:
        message = f"nobody has met arrivals for {in_words(silence)}: who has come is still shown as expected"
        step = f"start `anpr meet --site {site}` and the site's history, or read their logs"
        return wrong(_KIND, site, message, step)
    return well(_KIND, site, "expected vehicles are looked for among all reads")


def _watched(site: str, address: str) -> Iterator[datetime]:
    for record in last_records(address, topics.arrivals(site), ANSWER_SECONDS):
        with suppress(*UNREADABLE):  # the boards report such a record
            fact = decode(record.value, SiteTopic(site, "arrivals"))
            check_time(fact, record.arrived_at)
            if isinstance(fact, ArrivalsWatched):
                yield fact.until
