"""Each Kafka: whether it answers and has the topics as stated; and what each matcher of each site last said."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from anpr.contracts import topics
from anpr.contracts.events import Undecodable, decode_status
from anpr.doctor.findings import Check, Finding, note, well, wrong
from anpr.doctor.list_checks import InRedis, in_redis, judge_list
from anpr.doctor.redis_checks import judge_clock
from anpr.kafka import topic_specs
from anpr.kafka.broker_errors import NEXT_STEPS, NOT_AUTHORISED, code_of, is_refusal
from anpr.kafka.consumer_group import GroupState, LastRecord, group_state, last_records
from anpr.kafka.topic_admin import compare_topics, permitted_operations, specs_by_address
from anpr.kafka.topic_specs import TopicSpec
from anpr.runtime.clock import Clock
from anpr.runtime.durations import in_words
from anpr.runtime.errors import AnprError
from anpr.runtime.settings import Settings, Site

ANSWER_SECONDS = 3.0
# A matcher takes hundreds of reads a turn, a thousand turns a second: what waits longer than this is no peak.
MUCH_LAG_READS = 1000
CLOCK_TOLERANCE = timedelta(seconds=2)


def checks(settings: Settings, clock: Clock) -> list[tuple[str, str, Check]]:
    """Return what is to be tried: each address once, then each site that has cameras."""
    found: list[tuple[str, str, Check]] = [
        ("kafka", address, partial(check_broker, address, specs))
        for address, specs in specs_by_address(settings).items()
    ]
    silent_after = timedelta(seconds=settings.board.silent_after_seconds)
    found += [("rights", name, partial(check_rights, name, settings)) for name in settings.sites]
    return found + [
        ("matchers", name, partial(check_site, name, site, clock, silent_after))
        for name, site in settings.sites.items()
        if site.cameras
    ]


def check_broker(address: str, specs: list[TopicSpec]) -> Iterable[Finding]:
    """Ask a broker for its topics and compare them with what is stated."""
    said: list[str] = []
    # What keeps a client from connecting, such as a wrong password, is told to the callback and nowhere else.
    options: dict[str, Any] = {"error_cb": lambda error: said.append(error.str())}
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0, **options})
    try:
        missing, differing = compare_topics(admin, address, specs, ANSWER_SECONDS)
    except AnprError as error:
        yield wrong("kafka", address, "; ".join([str(error), *said[:1]]), error.next_step, error.code)
        return
    except KafkaException as error:
        code = code_of(error.args[0]) if is_refusal(error.args[0]) else "kafka-unavailable"
        step = NEXT_STEPS.get(code, "it is slow, or has just gone away: look at its log and its machine")
        yield wrong("kafka", address, error.args[0].str(), step, code)
        return
    yield well("kafka", address, f"answers; {len(specs) - len(missing)} of {len(specs)} topics are there")
    if missing:
        names = ", ".join(spec.name for spec in missing[:5]) + (", …" if len(missing) > 5 else "")
        yield wrong("topics", address, f"{len(missing)} are missing: {names}", "make them: anpr topics --create")
    for line in differing:
        yield wrong("topics", address, line, "change it at the broker, or state what is there in anpr.toml")


def check_rights(site: str, settings: Settings) -> Iterable[Finding]:
    """Ask what this user may do with a site's topics: read all, and at its own site write all."""
    names = [spec.name for spec in topic_specs.specs(site, settings.topics)]
    admin = AdminClient({"bootstrap.servers": settings.sites[site].kafka, "log_level": 0})
    try:
        may = permitted_operations(admin, names, ANSWER_SECONDS)
    except KafkaException:
        return  # what is wrong with a broker is said once, not for each of its sites
    denied = {
        right: [name for name, of_topic in may.items() if right.upper() not in of_topic]
        for right in ("read", "write")
    }
    if may and not any(denied.values()):
        yield well("rights", site, "this user may read and write all its topics")
    if may and len(denied["write"]) == len(may):
        yield note("rights", site, "this user may write none of its topics: right for other sites' services only")
        denied["write"] = []
    for right, names in denied.items():
        if names:
            says = f"this user may not {right} {', '.join(names)}"
            yield wrong("rights", site, says, NEXT_STEPS[NOT_AUTHORISED], NOT_AUTHORISED)


def check_site(name: str, site: Site, clock: Clock, silent_after: timedelta) -> Iterable[Finding]:
    """Ask a site's broker how far its matchers are, and read the last that each of them said."""
    try:
        group = group_state(site.kafka, f"anpr-match-{name}", topics.reads(name), ANSWER_SECONDS)
        in_words = last_records(site.kafka, topics.status(name), ANSWER_SECONDS)
    except KafkaException as error:
        code = code_of(error.args[0]) if is_refusal(error.args[0]) else ""
        step = NEXT_STEPS.get(code, "see what is said of its Kafka")
        yield wrong("matchers", name, f"not to be asked: {error.args[0].str()}", step, code)
        return
    if not group.may_join:
        says = f"this user may not be a member of the group anpr-match-{name}"
        yield wrong("rights", name, says, NEXT_STEPS[NOT_AUTHORISED], NOT_AUTHORISED)
    yield from judge_group(name, group)
    yield from judge_last_words(name, in_words, in_redis(site.redis), clock(), silent_after)


def judge_group(site: str, group: GroupState) -> Iterable[Finding]:
    """Tell whether somebody matches a site's reads, and how far behind."""
    if not group.members:
        yield wrong("matchers", site, f"none runs; {group.lag:,} reads wait", f"start one: anpr match --site {site}")
    elif group.lag > MUCH_LAG_READS:
        yield wrong(
            "matchers", site, f"{group.members} run; {group.lag:,} reads wait",
            "look at /readyz and the logs of each; more of them share the work, up to one a partition",
        )  # fmt: skip
    else:
        yield well("matchers", site, f"{group.members} run; {group.lag:,} reads wait")


def judge_last_words(
    site: str, words_said: Sequence[LastRecord], there: InRedis | None, now: datetime, silent_after: timedelta
) -> Iterable[Finding]:
    """Tell of each matcher how it last said it was; those that have been silent for long are named too."""
    if not words_said:
        yield note("matchers", site, "none has said anything in the last hour")
        return
    newest = max(word.arrived_at for word in words_said)
    if newest - now > CLOCK_TOLERANCE:
        yield from judge_clock("clock", site, now - newest)
    for word in words_said:
        yield from judge_last_word(site, word, there, now, silent_after)


def judge_last_word(
    site: str, last: LastRecord, there: InRedis | None, now: datetime, silent_after: timedelta
) -> Iterable[Finding]:
    """Tell how a matcher last said it was beside what its Redis holds, and whether its clock agrees."""
    try:
        status = decode_status(last.value)
    except Undecodable:
        yield wrong("matchers", site, "a record of the status topic is no status", "who writes to that topic?")
        return
    silence = now - last.arrived_at
    if status.has_left:
        yield note("matchers", site, f"{status.matcher} was stopped in order {in_words(silence)} ago")
        return
    if silence > silent_after:
        step = (
            f"start it again (anpr match --site {site} --name {status.matcher}) and look at its log; "
            "one that is gone for good is named here for an hour"
        )
        yield wrong("matchers", site, f"{status.matcher} has been silent for {in_words(silence)}", step)
        return
    ahead = status.at - last.arrived_at
    if abs(ahead) > CLOCK_TOLERANCE:
        word, seconds = ("ahead of" if ahead > timedelta(0) else "behind"), abs(ahead.total_seconds())
        says = f"the clock of {status.matcher}'s machine is {seconds:.1f} s {word} the broker's"
        yield wrong("clock", site, says, "set both by NTP")
    yield from judge_list(site, status, there, now)
