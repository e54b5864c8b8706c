"""What a site holds of a vehicle, as the person whose data they are gets it. Pure."""

from msgspec import Struct

from anpr.audit.record import AuditRecord
from anpr.contracts.events import Action, Alert, Correction, Instant, Name, Read


class HeldSighting(Struct, frozen=True, kw_only=True):
    """A read of the vehicle, and when the site's broker got it."""

    arrived_at: Instant
    read: Read


class SubjectAccess(Struct, frozen=True, kw_only=True):
    """What a site holds of a vehicle, the oldest first.

    `possible_misreads` are reads of another text that may be of this vehicle or of another one. They are only
    counted, because they may be the data of somebody else.
    """

    site: Name
    plate: str
    written_at: Instant
    sightings: tuple[HeldSighting, ...] = ()
    possible_misreads: int = 0
    alerts: tuple[Alert, ...] = ()
    corrections: tuple[Correction, ...] = ()
    actions: tuple[Action, ...] = ()
    audit_records: tuple[AuditRecord, ...] = ()
