"""From values to HTML: the templates and the words in which they speak."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

import jinja2
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from markupsafe import Markup, escape

from anpr.board.incident import Incident
from anpr.console import labels
from anpr.console.board.triage import BoardPosition
from anpr.console.local_time import clock_in_zone, dates_in_zone, in_zone, seconds_in_zone
from anpr.contracts.events import Action, Alert, Entry, Explanation
from anpr.contracts.plates import country_of
from anpr.runtime.settings import Site


def environment(govuk: Path | None, zone: tzinfo) -> jinja2.Environment:
    """Return the templates, with times of `zone`. `govuk` is the folder of GOV.UK Frontend, None without it."""
    made = jinja2.Environment(
        loader=ChoiceLoader(
            [
                PackageLoader("anpr.console.http"),
                PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
            ]
        ),
        autoescape=True,
        auto_reload=False,  # or a card looks at the disk each time it is drawn
        undefined=jinja2.ChainableUndefined,  # the components' own macros need it
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "at": in_zone(zone),
        "date": dates_in_zone(zone),
        "clock": clock_in_zone(zone),
        "second": seconds_in_zone(zone),
        "iso": datetime.isoformat,
        "mark_differences": mark_differences,
        "country_of": country_of,
    }
    made.globals |= {"labels": labels, "has_govuk": govuk is not None}
    return made


def mark_differences(explanation: Explanation, *, read: bool) -> Markup:
    """Return a plate with each letter marked that was read otherwise than listed: not by colour alone."""
    text = explanation.read_as if read else explanation.listed_as
    differing = {place for difference in explanation.differences for place in difference.span(read=read)}
    letters = (
        Markup("<mark>{}</mark>").format(letter) if place in differing else escape(letter)
        for place, letter in enumerate(text)
    )
    return Markup("").join(letters)


def entries_of(incident: Incident) -> list[Entry]:
    """Return the entries that speak for an incident, the most urgent first: none hides another."""
    by_id = {alert.entry.entry_id: alert.entry for alert in incident.standing or incident.alerts}
    return sorted(by_id.values(), key=lambda entry: (entry.priority, entry.entry_id))


@dataclass(frozen=True, slots=True)
class CardView:
    """What a card on the board shows of an incident."""

    incident: Incident
    best: Alert
    last: Alert
    site_title: str
    entries: Sequence[Entry]
    warnings: Sequence[str]
    holders: Sequence[tuple[str, str]]
    holder_here: str
    outcome: Action | None
    outcome_site_title: str
    position: BoardPosition
    covert: str

    @property
    def version(self) -> str:
        """What an officer would have to know of before acting: other reads of the same are not among it."""
        i = self.incident
        return f"{i.status} {len(self.entries)} {len(i.actions)} {self.best.tier}"


def card_view(incident: Incident, sites: Mapping[str, Site], site: str, position: BoardPosition) -> CardView:
    """Return what a card shows at a site: it depends on nothing else, so it can be kept while this stays the same."""
    entries = entries_of(incident)
    given = [one for one in incident.actions if one.kind == "outcome" and one.action_id not in incident.retracted]
    outcome = max(given, key=lambda action: action.at, default=None)
    return CardView(
        incident=incident,
        best=incident.best,
        # Where the vehicle is: a queue moves on while its best read stays behind.
        last=max(incident.standing or incident.alerts, key=lambda alert: (alert.captured_at, alert.alert_id)),
        site_title=title_of(incident.site, sites),
        entries=entries,
        warnings=tuple(dict.fromkeys(warning for entry in entries for warning in entry.warnings)),
        holders=[(title_of(of, sites), who) for of, who in sorted(incident.holders.items()) if of != site],
        holder_here=incident.holders.get(site, ""),
        outcome=outcome,
        outcome_site_title=title_of(outcome.site, sites) if outcome else "",
        position=position,
        covert=_covert(incident),
    )


def _covert(incident: Incident) -> str:
    """Return in words for those who may know of it whether all of it, or part, is covert; "" when nothing is."""
    if not incident.has_covert:
        return ""
    return labels.COVERT if all(alert.is_covert for alert in incident.alerts) else labels.PARTLY_COVERT


def title_of(site: str, sites: Mapping[str, Site]) -> str:
    """Return a site's name for people."""
    return sites[site].title if site in sites else site


@functools.cache
def package_folder(name: str) -> Path:
    """Return a folder of this package."""
    return Path(__file__).parent / name
