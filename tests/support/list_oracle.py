"""The oracle under list changes: what may be on the topics of a read while its list changes and matchers are killed.

A read that is matched again after a kill is matched with the list of that moment, so its alerts on the topics may be
those of several attempts (docs/adr/0019). What must hold of each read:

1. Its last attempt, the one that was committed, is whole: its alerts of the highest generation that any of them
   names are those of the dry run under that generation, each with the entry as that generation has it.
2. What an attempt before it left behind is true: an alert that names an earlier generation is one of the dry run's
   under that one.
3. No attempt uses a list that the site's matcher had left behind before the read arrived.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from anpr.contracts.events import Alert, Entry, Generation, Read
from anpr.matcher.alerts import raise_alerts
from anpr.matching.index import Index

Contents = Mapping[Generation, Sequence[Entry]]


@dataclass(frozen=True)
class Arrived:
    """A read, when it arrived, and the newest generation that its site's matcher had said to have by then."""

    read: Read
    least: Generation


def faults(arrived: Sequence[Arrived], alerts: Sequence[Alert], contents: Contents) -> Iterator[str]:
    """Return what must not be, in words. Each read has, in every generation, an entry that it matches."""
    of_read: defaultdict[tuple[str, str], list[Alert]] = defaultdict(list)
    for alert in alerts:
        of_read[alert.read.site, alert.read.read_id].append(alert)
    indexes = {generation: Index.build(entries, generation) for generation, entries in contents.items()}
    for one in arrived:
        yield from _faults_of(one, of_read[one.read.site, one.read.read_id], indexes)


def _faults_of(one: Arrived, alerts: Sequence[Alert], indexes: Mapping[Generation, Index]) -> Iterator[str]:
    what = f"{one.read.site} {one.read.read_id}"
    if not alerts:
        yield f"{what}: no alert at all"
        return
    attempts: defaultdict[Generation, dict[str, Entry]] = defaultdict(dict)
    for alert in alerts:
        attempts[alert.generation][alert.alert_id] = alert.entry
    for generation, found in attempts.items():
        if generation not in indexes:
            yield f"{what}: matched with generation {generation}, which was never in force"
            continue
        dry = {alert.alert_id: alert.entry for alert in dry_run(alerts[0].read, indexes[generation])}
        if generation < one.least:
            yield f"{what}: matched with {generation} though {one.least} was in force before it arrived"
        if not found.items() <= dry.items():
            yield f"{what}: alerts that generation {generation} does not bring"
        elif generation == max(attempts) and found != dry:
            yield f"{what}: {len(found)} of the {len(dry)} alerts of its last attempt, under {generation}"


def dry_run(read: Read, index: Index) -> list[Alert]:
    """Return the alerts of one read under one list."""
    now = read.captured_at or datetime.now(UTC)
    return [fact for fact in raise_alerts([read], index, now, timedelta(days=1)) if isinstance(fact, Alert)]
