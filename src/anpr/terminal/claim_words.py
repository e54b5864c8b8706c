"""Says in words who has claimed an incident, and whether anybody attends to it. Pure.

Who is signed in at the consoles is not known here, so a claim is unattended by time alone.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from anpr.board.claims import Claim, ClaimTimes, claims_of
from anpr.board.incident import STATUSES, Incident
from anpr.runtime.settings import ConsoleSettings
from anpr.terminal.ages import age

UNATTENDED: Final = "UNATTENDED"


def unattended_claims(incident: Incident, console: ConsoleSettings, now: datetime) -> tuple[Claim, ...]:
    """Return the claims on an open incident to which nobody attends."""
    if incident.status != "open" and incident.status in STATUSES:
        return ()
    times = ClaimTimes(console.claim_due(incident.priority), timedelta(seconds=console.ack_due_seconds))
    claims = claims_of(incident, "", None, times, now)
    return tuple(claim for claim in claims if claim.is_unattended)


def claim_words(incident: Incident, unattended: Iterable[Claim], now: datetime) -> str:
    """Return who has claimed an incident at which site, "" when nobody has."""
    since = {claim.site: f" {UNATTENDED} for {age(now - claim.last_action_at)}" for claim in unattended}
    return ", ".join(f"{officer} ({site}){since.get(site, '')}" for site, officer in sorted(incident.holders.items()))
