"""Checks each Kafka: whether it answers, its topics and this user's permissions; and each matcher's last status."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from anpr.contracts import topics
from anpr.contracts.events import Status
from anpr.doctor.findings import Check, Finding, note, well, wrong
from anpr.doctor.list_checks import RedisAnswer, ask_redis, judge_matcher_list
from anpr.doctor.redis_checks import judge_clock
from anpr.doctor.statuses import status_in
from anpr.kafka import topic_specs
from anpr.kafka.broker_errors import NEXT_STEPS, NOT_AUTHORISED, code_of, is_refusal
from anpr.kafka.consumer_group import GroupState, LastRecord, group_state, last_records
from anpr.kafka.topic_admin import compare_topics, permitted_operations, specs_by_address
from anpr.kafka.topic_specs import TopicSpec
from anpr.runtime.clock import Clock
from anpr.runtime.durations import in_words
from anpr.runtime.errors import AnprError
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Settings, Site

ANSWER_SECONDS = 3.0
# A matcher polls batches of hundreds of reads, up to a thousand batches a second: a longer queue is no mere peak.
MAX_LAG_READS = 1000
# More cameras that use read ids again are left out.
_CAMERAS_NAMED = 5
CLOCK_TOLERANCE = timedelta(seconds=2)


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return the checks: each address once, each site's permissions, and the matchers of each site with cameras."""
    kafka_checks: list[tuple[str, str, Check]] = [
        ("kafka", address, partial(check_broker, address, specs))
        for address, specs in specs_by_address(settings).items()
    ]
    silent_after = timedelta(seconds=settings.board.silent_after_seconds)
    kafka_checks += [("rights", name, partial(check_rights, name, settings)) for name in settings.sites]
    return kafka_checks + [
        ("matchers", name, partial(check_site, name, site, clock, silent_after))
        for name, site in settings.sites.items()
        if site.cameras
    ]


def check_broker(address: str, specs: list[TopicSpec]) -> Iterable[Finding]:
    """Ask a broker for its topics and compare them with the configuration."""
    errors: list[str] = []
    # Only this callback gets the reason why a client cannot connect, such as a wrong password.
    options: dict[str, Any] = {"error_cb": lambda error: errors.append(error.str())}
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0, **options})
    try:
        missing, differing = compare_topics(admin, address, specs, ANSWER_SECONDS)
    except AnprError as error:
        yield wrong("kafka", address, "; ".join([str(error), *errors[:1]]), error.next_step, error.code)
        return
    except KafkaException as error:
        code = code_of(error.args[0]) if is_refusal(error.args[0]) else "kafka-unavailable"
        step = NEXT_STEPS.get(code, "it is slow or has just stopped: look at its log and its machine")
        yield wrong("kafka", address, error.args[0].str(), step, code)
        return
    yield well("kafka", address, f"answers; {len(specs) - len(missing)} of {len(specs)} topics exist")
    if missing:
        names = ", ".join(spec.name for spec in missing[:5]) + (", …" if len(missing) > 5 else "")
        yield wrong("topics", address, f"{len(missing)} missing: {names}", "create them with `anpr topics --create`")
    for line in differing:
        yield wrong("topics", address, line, "change it at the broker, or write the broker's value into anpr.toml")


def check_rights(site: str, settings: Settings) -> Iterable[Finding]:
    """Report which of a site's topics this user may not read or write."""
    names = [spec.name for spec in topic_specs.specs(site, settings.topics)]
    admin = AdminClient({"bootstrap.servers": settings.sites[site].kafka, "log_level": 0})
    try:
        permitted = permitted_operations(admin, names, ANSWER_SECONDS)
    except KafkaException:
        return  # `check_broker` reports the problem once, not for each site of the broker
    denied = {
        operation: [name for name, operations in permitted.items() if operation.upper() not in operations]
        for operation in ("read", "write")
    }
    if permitted and not any(denied.values()):
        yield well("rights", site, "this user may read and write all its topics")
    if permitted and len(denied["write"]) == len(permitted):
        message = "this user may write to none of its topics: that is right only for services of other sites"
        yield note("rights", site, message)
        denied["write"] = []
    for operation, names in denied.items():
        if names:
            message = f"this user may not {operation} {', '.join(names)}"
            yield wrong("rights", site, message, NEXT_STEPS[NOT_AUTHORISED], NOT_AUTHORISED)


def check_site(name: str, site: Site, clock: Clock, silent_after: timedelta) -> Iterable[Finding]:
    """Ask a site's broker for the state of the matchers' group, and read the last status of each matcher."""
    try:
        group = group_state(site.kafka, f"anpr-match-{name}", topics.reads(name), ANSWER_SECONDS)
        statuses = last_records(site.kafka, topics.status(name), ANSWER_SECONDS)
    except KafkaException as error:
        code = code_of(error.args[0]) if is_refusal(error.args[0]) else ""
        step = NEXT_STEPS.get(code, "see the findings for this site's Kafka")
        yield wrong("matchers", name, f"the broker does not report them: {error.args[0].str()}", step, code)
        return
    if not group.may_join:
        message = f"this user may not join the group anpr-match-{name}"
        yield wrong("rights", name, message, NEXT_STEPS[NOT_AUTHORISED], NOT_AUTHORISED)
    yield from judge_group(name, group)
    yield from judge_statuses(name, statuses, ask_redis(site.redis), clock(), silent_after)


def _waiting(lag: int) -> str:
    return f"{counted(lag, 'read')} {'waits' if lag == 1 else 'wait'}"


def judge_group(site: str, group: GroupState) -> Iterable[Finding]:
    """Report whether matchers run at a site, and how many reads wait for them."""
    if not group.members:
        message = f"none running; {_waiting(group.lag)}"
        yield wrong("matchers", site, message, f"start one with `anpr match --site {site}`")
    elif group.lag > MAX_LAG_READS:
        yield wrong(
            "matchers", site, f"{group.members} running; {_waiting(group.lag)}",
            "look at /readyz and the log of each, or start more: they share the work, up to one for each partition",
        )  # fmt: skip
    else:
        yield well("matchers", site, f"{group.members} running; {_waiting(group.lag)}")


def judge_statuses(
    site: str, records: Sequence[LastRecord], answer: RedisAnswer | None, now: datetime, silent_after: timedelta
) -> Iterable[Finding]:
    """Report the last status of each matcher, also of those that have been silent for long."""
    if not records:
        yield note("matchers", site, "no matcher has published a status in the last hour")
        return
    newest = max(record.arrived_at for record in records)
    if newest - now > CLOCK_TOLERANCE:
        yield from judge_clock("clock", site, now - newest)
    for record in records:
        yield from judge_status(site, record, answer, now, silent_after)


def judge_status(
    site: str, record: LastRecord, answer: RedisAnswer | None, now: datetime, silent_after: timedelta
) -> Iterable[Finding]:
    """Report a matcher's last status, its clock, and its watchlist beside the one in its Redis."""
    status = status_in(record.value, site)
    if status is None:
        yield wrong(
            "matchers",
            site,
            "a record on the status topic is not a status of this site",
            "find out which program writes to that topic",
        )
        return
    silence = now - record.arrived_at
    if status.has_left:
        yield note("matchers", site, f"{status.matcher} was stopped in order {in_words(silence)} ago")
        return
    if silence > silent_after:
        step = (
            f"start it again (anpr match --site {site} --name {status.matcher}) and look at its log. "
            "If you removed it for good, it disappears from here after an hour"
        )
        yield wrong("matchers", site, f"{status.matcher} has been silent for {in_words(silence)}", step)
        return
    ahead = status.at - record.arrived_at
    if abs(ahead) > CLOCK_TOLERANCE:
        direction, seconds = ("ahead of" if ahead > timedelta(0) else "behind"), abs(ahead.total_seconds())
        message = f"the clock of {status.matcher}'s machine is {seconds:.1f} s {direction} the broker's"
        yield wrong("clock", site, message, "set both clocks by NTP")
    yield from judge_read_ids(site, status)
    yield from judge_matcher_list(site, status, answer, now)


def judge_read_ids(site: str, status: Status) -> Iterable[Finding]:
    """Report the cameras that have used read ids again since the matcher started, the worst first."""
    worst = Counter(status.reused_read_ids).most_common(_CAMERAS_NAMED)
    for camera, reads in worst:
        message = (
            f"camera {camera or 'without a name'} has used the read ids of {reads:,} reads again since "
            f"{status.matcher} started: it has restarted, or two devices share its name. No alert is lost"
        )
        step = "if it did not restart, give each device its own camera name, or nobody sees when one falls silent"
        yield note("cameras", site, message, step)
