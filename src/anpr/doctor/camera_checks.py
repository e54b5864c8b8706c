"""Compares the cameras that made reads with those that the configuration names, by the matchers' last status."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from confluent_kafka import KafkaException

from anpr.contracts import topics
from anpr.contracts.events import Status
from anpr.contracts.unknown_cameras import unknown_cameras
from anpr.doctor.findings import Check, Finding, note, well, wrong
from anpr.doctor.statuses import status_in
from anpr.kafka.consumer_group import LastRecord, last_records
from anpr.runtime.camera_names import likely_camera
from anpr.runtime.clock import Clock
from anpr.runtime.durations import in_words
from anpr.runtime.settings import Settings, Site

ANSWER_SECONDS = 3.0
_NAMED = 5
# A camera that saw none of so many vehicles is more likely blind, or has another name.
_MANY_READS = 500
_NEXT_STEP = "correct the name at the camera or its gateway, or add the camera to sites.toml and restart the matchers"


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return a check of each site, also of those without cameras."""
    silent_after = timedelta(seconds=settings.board.silent_after_seconds)
    return [
        ("cameras", name, partial(check_cameras, name, settings.sites, clock, silent_after))
        for name in settings.sites
    ]


def check_cameras(site: str, sites: Mapping[str, Site], clock: Clock, silent_after: timedelta) -> Iterable[Finding]:
    """Read the last status of each matcher of a site."""
    try:
        records = last_records(sites[site].kafka, topics.status(site), ANSWER_SECONDS)
    except KafkaException:
        return  # the checks of this Kafka and of the matchers report it
    yield from judge_cameras(site, sites, _running(site, records, clock() - silent_after), clock())


def judge_cameras(
    site: str, sites: Mapping[str, Site], statuses: Sequence[Status], now: datetime
) -> Iterable[Finding]:
    """Report cameras that the configuration does not name, and named ones of which no matcher knows a read."""
    unknown = unknown_cameras(statuses)
    for name, camera in list(unknown.items())[:_NAMED]:
        likely = likely_camera(name, site, sites)
        message = (
            f"camera {name!r} is not in the configuration: {camera.reads:,} reads, the last "
            f"{in_words(now - camera.last_read_at)} ago{f'; {likely}' if likely else ''}. Its reads are matched"
        )
        yield wrong("cameras", site, message, _NEXT_STEP)
    if len(unknown) > _NAMED:
        message = f"{len(unknown) - _NAMED} more camera names are not in the configuration"
        yield wrong("cameras", site, message, "find out which gateway writes them")
    seen = {name for status in statuses for name in status.cameras}
    unseen = [camera.name for camera in sites[site].cameras if camera.name not in seen]
    if unseen and sum(status.reads for status in statuses) >= _MANY_READS:
        message = f"no read since the matchers started: {', '.join(unseen)}"
        yield note("cameras", site, message, "look at these cameras, and at how their gateway names them")
    elif statuses and not unknown and not unseen:
        yield well("cameras", site, f"each of {len(sites[site].cameras)} makes reads, and no other does")


def _running(site: str, records: Iterable[LastRecord], since: datetime) -> list[Status]:
    """Return the statuses of the matchers that run."""
    statuses = []
    for record in records:
        status = status_in(record.value, site)  # the check of the matchers reports one that is none
        if status is not None and record.arrived_at >= since and not status.has_left:
            statuses.append(status)
    return statuses
