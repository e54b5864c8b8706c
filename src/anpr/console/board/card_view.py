"""The facts that a card shows of an incident."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anpr.board.claims import Claim
from anpr.board.incident import Incident, capture_order, certainty_order
from anpr.console import labels
from anpr.console.board.triage import BoardPosition
from anpr.contracts.districts import shown_district
from anpr.contracts.events import Action, Alert, Entry, ReadIdentity
from anpr.runtime.settings import Site


@dataclass(frozen=True, slots=True)
class CardView:
    """The facts that a card on the board shows of an incident.

    Attributes:
        last: The newest alert: it says where the vehicle is now. In a queue the best read may stay behind.
        entries: The entries that match, the most urgent first.
        claims: The claims at other sites, each with the site's title.
        claim_here: The claim at this site, None for none.
        outcome: The newest outcome that was not taken back.
        covert: In words for people with the covert permission, whether all or part is covert; "" when nothing is.
    """

    incident: Incident
    last: Alert
    site_title: str
    entries: Sequence[Entry]
    claims: Sequence[tuple[str, Claim]]
    claim_here: Claim | None
    outcome: Action | None
    outcome_site_title: str
    position: BoardPosition
    covert: str

    @property
    def best(self) -> Alert:
        """The surest alert."""
        return self.incident.best

    @property
    def plate_to_check(self) -> str:
        """The listed plate: with its gap, where only the gap tells two vehicles apart."""
        entry, explanation = self.best.entry, self.best.explanation
        shows_district = shown_district(entry.plate, entry.country or self.best.read.country) is not None
        return entry.plate.upper() if shows_district else explanation.listed_as

    @property
    def reads(self) -> Sequence[Alert]:
        """One alert of each read, the newest first: of several entries that it matches, the surest that stands."""
        standing = {alert.alert_id for alert in self.incident.standing}
        surest: dict[ReadIdentity, Alert] = {}
        for alert in sorted(
            self.incident.alerts, key=lambda one: (one.alert_id not in standing, certainty_order(one))
        ):
            surest.setdefault(alert.read.identity, alert)
        return sorted(surest.values(), key=capture_order, reverse=True)

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of all entries, each once."""
        return self.incident.warnings

    @property
    def version(self) -> str:
        """Changes with whatever an officer must know before acting. More reads of the same kind do not change it."""
        incident = self.incident
        claim = self.claim_here
        unattended = f"{claim.why_unattended} {claim.is_overdue}" if claim else ""
        arrival = self.position.arrival or ""
        return (
            f"{incident.status} {len(self.entries)} {len(incident.actions)} {self.best.tier} {unattended} {arrival}"
        )


def card_view(incident: Incident, sites: Mapping[str, Site], site: str, position: BoardPosition) -> CardView:
    """Return the card of an incident at a site. It depends on nothing else, so it can be kept until these change."""
    outcome = max(incident.outcomes, key=lambda action: action.at, default=None)
    return CardView(
        incident=incident,
        last=max(incident.standing or incident.alerts, key=lambda alert: (alert.captured_at, alert.alert_id)),
        site_title=_title_of(incident.site, sites),
        entries=incident.entries,
        claims=[(_title_of(claim.site, sites), claim) for claim in position.claims if claim.site != site],
        claim_here=position.claim_at(site),
        outcome=outcome,
        outcome_site_title=_title_of(outcome.site, sites) if outcome else "",
        position=position,
        covert=_covert_label(incident),
    )


def _covert_label(incident: Incident) -> str:
    if not incident.has_covert:
        return ""
    return labels.COVERT if all(alert.is_covert for alert in incident.alerts) else labels.PARTLY_COVERT


def _title_of(site: str, sites: Mapping[str, Site]) -> str:
    """Return a site's title; its name when the settings do not have it."""
    return sites[site].title if site in sites else site
