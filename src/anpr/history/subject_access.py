"""All that a site holds of one vehicle, for the person whose data they are (Data Protection Act 2018, section 45).

Covert alerts, and what only they keep, are left out. Their number is reported apart, for those who may know.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from anpr.audit.query import AuditQuery
from anpr.audit.record import AuditRecord
from anpr.audit.record_search import search
from anpr.contracts.events import Action, Alert, Correction, Read
from anpr.contracts.look_up import THIS_PLATE_TIERS, LookUp
from anpr.history.erasure import VehicleHeld
from anpr.history.fact_store import FactStore
from anpr.history.held_data import HeldSighting, SubjectAccess
from anpr.history.retention import KeptStores
from anpr.history.wanted_plate import WantedPlate


class LeftOut(NamedTuple):
    """How much is left out because it is covert."""

    alerts: int
    audit_records: int


def subject_access(
    stores: KeptStores, audit: Path, look_up: LookUp, held: VehicleHeld, now: datetime
) -> tuple[SubjectAccess, LeftOut]:
    """Return all that is held of a vehicle, and how much of it is left out.

    `audit` is the folder with the audit chains of the site. Raises UnavailableError. It reads every fact that is
    kept, so it takes a while.
    """
    sightings = [*held.going, *held.evidence]
    reads = [sighting.read for sighting in sightings]
    wanted = WantedPlate(look_up)
    alerts, corrections = _about(stores.facts, wanted, reads)
    covert, _ = _about(stores.covert_facts, wanted, reads)
    actions = stores.facts.actions_on([alert.alert_id for alert in alerts])
    records = _audit_records(audit, look_up, covert=True)
    shown = [record for record in records if not record.event.covert]
    answer = SubjectAccess(
        site=look_up.asking_site,
        plate=look_up.plate,
        written_at=now,
        sightings=tuple(
            HeldSighting(arrived_at=sighting.arrived_at, read=sighting.read)
            for sighting in sorted(sightings, key=lambda one: (one.arrived_at, one.source, one.offset))
        ),
        possible_misreads=held.possible_misreads,
        alerts=tuple(alerts),
        corrections=tuple(corrections),
        actions=tuple(event for fact in actions if isinstance(event := fact.event(), Action)),
        audit_records=tuple(shown),
    )
    return answer, LeftOut(len(covert), len(records) - len(shown))


def _about(facts: FactStore, wanted: WantedPlate, reads: Collection[Read]) -> tuple[list[Alert], list[Correction]]:
    """Return the alerts about these reads, or about another read of the vehicle, and the corrections of these reads.

    A read that is only like the plate of an entry may be of somebody else's vehicle.
    """
    identities = {read.identity for read in reads}
    named = {(read.site, read.camera, read.read_id) for read in reads}
    alerts: list[Alert] = []
    corrections: list[Correction] = []
    for day in facts.days():
        events = [fact.event() for fact in facts.of_day(day)]
        raised = [event for event in events if isinstance(event, Alert)]
        for alert, match in zip(raised, wanted.matches([alert.read for alert in raised]), strict=True):
            if alert.read.identity in identities or (match is not None and match.tier in THIS_PLATE_TIERS):
                alerts.append(alert)
        corrections += (event for event in events if isinstance(event, Correction) and named & _reads_of(event))
    return alerts, corrections


def _reads_of(correction: Correction) -> set[tuple[str, str, str]]:
    return {(correction.site, correction.camera, read_id) for read_id in (correction.read_id, correction.supersedes)}


def _audit_records(folder: Path, look_up: LookUp, *, covert: bool) -> list[AuditRecord]:
    query = AuditQuery(since=look_up.since, until=look_up.until, plate=look_up.plate, covert=covert)
    return list(_pages(folder, query))[::-1]


def _pages(folder: Path, query: AuditQuery) -> Iterator[AuditRecord]:
    after = ""
    while True:
        page = search(folder, query, after)
        yield from page.records
        after = page.next
        if not after:
            return
