"""What a campaign found: the published alerts, dead letters, sightings and boards beside what they must be. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from anpr.contracts.events import Alert, Generation, Read, ReadIdentity
from anpr.matching.index import Index
from tests.support.list_oracle import Arrived, Contents, dry_run, faults

# A site and an offset of one partition of its reads topic.
Position = tuple[str, int, int]
# So many findings of one kind are printed; the rest are counted.
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was sent, what is on the topics, and what the services show, after all faults.

    Attributes:
        sent: The reads that a producer or a gateway was given.
        reads: The reads on the topics, each once.
        whole: Those of plates that some entry matches in every generation, for the oracle under list changes.
        alerts: Every alert on the topics, repeats included.
        contents: The entries of the watchlist, by generation.
        garbage: The records on the topics that no matcher can match.
        dead_letters: The different values on the dead-letter topics.
        readable: Where the records that can be matched are on the reads topics.
        sightings: How often history holds each of them.
        boards: By board, how often it shows each alert.
        problems: What a service or the campaign itself could not do, in words.
    """

    sent: AbstractSet[ReadIdentity]
    reads: Sequence[Read]
    whole: Sequence[Arrived]
    alerts: Sequence[Alert]
    contents: Contents
    garbage: AbstractSet[bytes]
    dead_letters: AbstractSet[bytes]
    readable: AbstractSet[Position]
    sightings: Mapping[Position, int]
    boards: Mapping[str, Mapping[str, int]]
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Verdict:
    """The findings, by kind, and the figures. A campaign without a finding has lost nothing."""

    expected: int
    published: int
    repeats: int
    findings: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, invented or shown twice."""
        return not self.findings

    def __str__(self) -> str:
        lines = [
            f"{self.expected} alerts expected, {self.published} published, {self.repeats} of them published again",
            *(
                line
                for kind, found in self.findings.items()
                for line in (f"{kind}: {len(found)}", *(f"  {one}" for one in found[:_SHOWN]))
            ),
        ]
        return "\n".join([*lines, "nothing was lost" if self.is_clean else "SOMETHING WENT WRONG"])


def judge(evidence: Evidence) -> Verdict:
    """Compare what is there with what must be there."""
    expected = wanted_alerts(evidence.reads, evidence.contents)
    published = Counter(alert.alert_id for alert in evidence.alerts)
    by_kind = {
        "reads lost on their way to the topic": _reads_lost(evidence),
        "alerts lost": sorted(_name(expected[alert_id]) for alert_id in expected.keys() - published.keys()),
        "alerts that no list raises": list(_untrue(evidence)),
        "reads without the alerts of one generation": list(_mixed(evidence)),
        "garbage without a dead letter": sorted(map(_short, evidence.garbage - evidence.dead_letters)),
        "dead letters that are no garbage": sorted(map(_short, evidence.dead_letters - evidence.garbage)),
        "history": list(_history(evidence)),
        "boards": list(_boards(evidence, expected)),
        "problems": list(evidence.problems),
    }
    found = {kind: found for kind, found in by_kind.items() if found}
    return Verdict(len(expected), len(published), published.total() - len(published), found)


def wanted_alerts(reads: Sequence[Read], contents: Contents) -> dict[str, Alert]:
    """Return by id the alerts that must be there in the end: each read under the last list.

    A read from before an entry was listed has its alert too: the back-check raises it.
    """
    newest = max(contents)
    return {alert.alert_id: alert for alert in dry_run(reads, Index.build(contents[newest], newest))}


def _reads_lost(evidence: Evidence) -> list[str]:
    there = {read.identity for read in evidence.reads}
    return sorted(f"{read.site} {read.camera} {read.read_id}" for read in evidence.sent - there)


def _untrue(evidence: Evidence) -> Iterator[str]:
    """Yield the alerts that the dry run under their generation does not raise, with the entry as it was then."""
    by_generation: defaultdict[Generation, dict[str, Alert]] = defaultdict(dict)
    for alert in evidence.alerts:
        by_generation[alert.generation][alert.alert_id] = alert
    known = {read.identity: read for read in evidence.reads}
    for generation, alerts in by_generation.items():
        if generation not in evidence.contents:
            yield from (f"{_name(alert)}: generation {generation} was never active" for alert in alerts.values())
            continue
        reads = {alert.read.identity: known.get(alert.read.identity, alert.read) for alert in alerts.values()}
        raised = dry_run(list(reads.values()), Index.build(evidence.contents[generation], generation))
        entries = {alert.alert_id: alert.entry for alert in raised}
        yield from (_name(alert) for alert in alerts.values() if entries.get(alert.alert_id) != alert.entry)
    yield from (_name(alert) for alert in evidence.alerts if alert.read.identity not in known)


def _mixed(evidence: Evidence) -> Iterator[str]:
    wanted = {arrived.read.identity for arrived in evidence.whole}
    live = [a for a in evidence.alerts if a.kind != "retrospective" and a.read.identity in wanted]
    return faults(evidence.whole, live, evidence.contents)


def _history(evidence: Evidence) -> Iterator[str]:
    for position in sorted(evidence.readable | evidence.sightings.keys()):
        times = evidence.sightings.get(position, 0)
        if times != 1 or position not in evidence.readable:
            site, partition, offset = position
            yield f"{site} [{partition}]@{offset}: stored {times} times, readable: {position in evidence.readable}"


def _boards(evidence: Evidence, expected: Mapping[str, Alert]) -> Iterator[str]:
    for name, shown in evidence.boards.items():
        yield from (f"{name}: misses {_name(expected[one])}" for one in sorted(expected.keys() - shown.keys()))
        yield from (f"{name}: shows {one} {times} times" for one, times in sorted(shown.items()) if times > 1)


def _name(alert: Alert) -> str:
    read = alert.read
    return f"{read.site} {read.camera} {read.read_id} {read.plate} / {alert.entry.entry_id} ({alert.kind})"


def _short(value: bytes) -> str:
    return repr(value[:60])
