"""The oracle under list changes: the alerts that a read may have while its list changes and matchers are killed.

A read that is matched again after a kill is matched with the list of that time, so its alerts on the topics may be
those of several attempts (docs/adr/0019). For each read:

1. The last attempt, which was committed, is whole: the alerts with the highest generation are those of the dry run
   under that generation, each with the entry as that generation has it.
2. The alerts of an earlier attempt are true: an alert with an earlier generation is one of the dry run under that
   generation.
3. No attempt uses a generation older than the one that the site's matcher had before the read arrived.

Where history and its back-check run too, they may find a read in any later generation, paused, killed or replayed:

4. A retrospective alert is true: it is one of the dry run with `--back-check` under its generation.
5. In the end each read has every alert of the dry run with `--back-check` under the last list, live or retrospective.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from anpr.contracts.events import Alert, Entry, Generation, Read, ReadIdentity
from anpr.contracts.local_days import UTC_DAYS
from anpr.matcher.alerts import raise_alerts, raise_retrospective
from anpr.matching.index import Index

RETROSPECTIVE = "retrospective"
Contents = Mapping[Generation, Sequence[Entry]]
# For each read: the entries of its alerts, by the alert's id.
EntriesByRead = defaultdict[ReadIdentity, dict[str, Entry]]


@dataclass(frozen=True)
class Arrived:
    """A read, and the newest generation that its site's matcher had reported before it arrived."""

    read: Read
    least: Generation


def faults(arrived: Sequence[Arrived], alerts: Sequence[Alert], contents: Contents) -> Iterator[str]:
    """Return the faults of live matching, in words. Each read has, in every generation, an entry that it matches."""
    alerts = [alert for alert in alerts if alert.kind != RETROSPECTIVE]
    of_read: defaultdict[ReadIdentity, list[Alert]] = defaultdict(list)
    for alert in alerts:
        of_read[alert.read.identity].append(alert)
    matched: defaultdict[Generation, dict[ReadIdentity, Read]] = defaultdict(dict)
    for alert in alerts:
        matched[alert.generation].setdefault(alert.read.identity, of_read[alert.read.identity][0].read)
    expected = {
        generation: _entries_by_read(dry_run([*matched[generation].values()], Index.build(entries, generation)))
        for generation, entries in contents.items()
    }
    for arrival in arrived:
        yield from _faults_of(arrival, of_read[arrival.read.identity], expected)


def retrospective_faults(reads: Sequence[Read], alerts: Sequence[Alert], contents: Contents) -> Iterator[str]:
    """Return the faults of a back-check that has ended, in words, about reads of sites that have one."""
    yield from untrue(alerts, contents)
    last = max(contents)
    there = {alert.alert_id for alert in alerts}
    for alert in back_check_run(reads, Index.build(contents[last], last)):
        if alert.alert_id not in there:
            yield f"{alert.read.site} {alert.read.read_id}: no alert of {alert.entry.entry_id}, listed in the end"


def untrue(alerts: Iterable[Alert], contents: Contents) -> Iterator[str]:
    """Return, in words, the alerts that the dry run under their generation does not raise, live and retrospective."""
    alike: defaultdict[tuple[Generation, bool], list[Alert]] = defaultdict(list)
    for alert in alerts:
        alike[alert.generation, alert.kind == RETROSPECTIVE].append(alert)
    for (generation, is_retrospective), some in alike.items():
        index = Index.build(contents.get(generation, ()), generation)
        reads = {alert.read.identity: alert.read for alert in some}
        raised = (back_check_run if is_retrospective else dry_run)([*reads.values()], index)
        true = {alert.alert_id: alert.entry for alert in raised}
        for alert in some:
            if true.get(alert.alert_id) != alert.entry:
                name = f"{alert.read.site} {alert.read.read_id}: {alert.kind} alert of {alert.entry.entry_id}"
                yield f"{name}: generation {generation} does not raise it"


def _entries_by_read(alerts: Sequence[Alert]) -> EntriesByRead:
    entries: EntriesByRead = defaultdict(dict)
    for alert in alerts:
        entries[alert.read.identity][alert.alert_id] = alert.entry
    return entries


def _faults_of(
    arrival: Arrived, alerts: Sequence[Alert], expected: Mapping[Generation, EntriesByRead]
) -> Iterator[str]:
    name = f"{arrival.read.site} {arrival.read.read_id}"
    if not alerts:
        yield f"{name}: no alert at all"
        return
    attempts: defaultdict[Generation, dict[str, Entry]] = defaultdict(dict)
    for alert in alerts:
        attempts[alert.generation][alert.alert_id] = alert.entry
    for generation, found in attempts.items():
        if generation not in expected:
            yield f"{name}: matched with generation {generation}, which was never active"
            continue
        dry = expected[generation][alerts[0].read.identity]
        if generation < arrival.least:
            yield f"{name}: matched with {generation} though {arrival.least} was active before it arrived"
        if not found.items() <= dry.items():
            yield f"{name}: alerts that generation {generation} does not raise"
        elif generation == max(attempts) and found != dry:
            yield f"{name}: {len(found)} of the {len(dry)} alerts of its last attempt, under {generation}"


def dry_run(reads: Sequence[Read], index: Index) -> list[Alert]:
    """Return the alerts of reads under one list. The time now decides only which of them are late."""
    now = datetime.now(UTC)
    return [fact for fact in raise_alerts(reads, index, now, timedelta(days=1), UTC_DAYS) if isinstance(fact, Alert)]


def back_check_run(reads: Sequence[Read], index: Index) -> list[Alert]:
    """Return the alerts of reads that passed before all of one list was applied."""
    return raise_retrospective(reads, index, datetime.now(UTC), UTC_DAYS, lambda _: True)
