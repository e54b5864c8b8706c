"""A fact: an alert, a correction or an action of the site, as history keeps it beside the sightings. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from anpr.contracts import canary
from anpr.contracts.alert_id import has_own_id
from anpr.contracts.events import Action, Alert, Correction, Undecodable, decode_action, decode_alert_record
from anpr.history.sighting import Source, arrival, identity_digest
from anpr.kafka.interfaces import Record


class Fact(NamedTuple):
    """A record as its bytes, its source and offset, and by what it is found again.

    `kind` is `alert`, `correction` or `action`. `alert_id` is that of an alert, or of what an action is about.
    `identity` is the digest of the identity of an alert's read.
    """

    source: Source
    offset: int
    arrived_at: datetime
    kind: str
    alert_id: str | None
    identity: bytes | None
    value: bytes

    def event(self) -> Alert | Correction | Action | None:
        """Return the record decoded; None for one that an earlier version stored and this one refuses."""
        try:
            return decode_action(self.value) if self.kind == "action" else decode_alert_record(self.value)
        except Undecodable:
            return None


def facts_of_alerts(site: str, records: Sequence[Record], topic_id: str) -> list[Fact]:
    """Return the alerts and corrections in records of the alerts topic of `site`.

    Canaries are left out, and what boards refuse: undecodable records, those of another site, and alerts under an id
    that is not their own. These could take the place of another alert.
    """
    facts = []
    for record in records:
        try:
            event = decode_alert_record(record.value or b"")
        except Undecodable:
            continue
        if isinstance(event, Correction):
            if event.site == site:
                facts.append(_fact(record, topic_id, "correction"))
        elif event.read.site == site and has_own_id(event) and not canary.is_canary(event):
            facts.append(_fact(record, topic_id, "alert", event.alert_id, identity_digest(event.read.identity)))
    return facts


def facts_of_actions(site: str, records: Sequence[Record], topic_id: str) -> list[Fact]:
    """Return the actions in records of an actions topic of `site`, without undecodable ones and other sites'."""
    facts = []
    for record in records:
        try:
            action = decode_action(record.value or b"")
        except Undecodable:
            continue
        if action.site == site:
            facts.append(_fact(record, topic_id, "action", action.alert_id))
    return facts


def _fact(
    record: Record, topic_id: str, kind: str, alert_id: str | None = None, identity: bytes | None = None
) -> Fact:
    source = Source(topic_id, record.partition)
    return Fact(source, record.offset, arrival(record), kind, alert_id, identity, record.value or b"")
