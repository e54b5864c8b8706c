"""A fact: an alert, a correction or an action of the site, as history keeps it beside the sightings. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from anpr.contracts import canary
from anpr.contracts.events import Action, Alert, Correction, Undecodable, decode_action, decode_alert_record
from anpr.contracts.site_topics import UNREADABLE, SiteTopic, decode
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


def facts_of(topic: SiteTopic, records: Sequence[Record], topic_id: str) -> list[Fact]:
    """Return the alerts, corrections and actions in records of a topic of alerts or actions.

    Canaries are left out, and what boards refuse: undecodable records, those of another site, and alerts under an id
    that is not their own. These could take the place of another alert.
    """
    facts = []
    for record in records:
        try:
            event = decode(record.value or b"", topic)
        except UNREADABLE:
            continue
        if isinstance(event, Correction):
            facts.append(_fact(record, topic_id, "correction"))
        elif isinstance(event, Action):
            facts.append(_fact(record, topic_id, "action", event.alert_id))
        elif isinstance(event, Alert) and not canary.is_canary(event):
            facts.append(_fact(record, topic_id, "alert", event.alert_id, identity_digest(event.read.identity)))
    return facts


def _fact(
    record: Record, topic_id: str, kind: str, alert_id: str | None = None, identity: bytes | None = None
) -> Fact:
    source = Source(topic_id, record.partition)
    return Fact(source, record.offset, arrival(record), kind, alert_id, identity, record.value or b"")
