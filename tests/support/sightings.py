"""Sightings as a site's history answers with them, for tests of what people see of a look-up."""

from datetime import date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from anpr.contracts.events import Action, Alert, Difference, Explanation
from anpr.contracts.look_up import FoundSighting, SightingsAnswer
from anpr.look_up.site_reply import SiteReply
from tests.support.strategies import NOON, a_read

PLATE = "AB12CDE"
MISREAD = Difference(place=7, read="F", listed="E", why="cameras confuse E and F", read_place=7)


def a_sighting(site: str = "calais", seen_at: datetime = NOON, plate: str = PLATE, **fields: Any) -> FoundSighting:
    """Return a sighting of the vehicle that was read as `plate`. Fields of the read are given as `read`."""
    of_read = {
        "camera": f"{site}-uk-3-front",
        "lane": "3",
        "direction": "uk_bound",
        "position": "front",
        "country": "GB",
        "plate": plate,
        "captured_at": seen_at,
    } | fields.pop("read", {})
    read = a_read(f"{site}-{plate}-{seen_at.isoformat()}", site=site, **of_read)
    given: dict[str, Any] = {
        "arrived_at": seen_at + timedelta(seconds=1),
        "tier": "exact",
        "probability": 0.98,
        "explanation": Explanation(read_as=plate, listed_as=PLATE),
    }
    return FoundSighting(site=site, read=read, **(given | fields))


def a_misread(site: str = "calais", seen_at: datetime = NOON, plate: str = "AB12CDF", **fields: Any) -> FoundSighting:
    """Return a sighting that may be of another vehicle."""
    explanation = Explanation(read_as=plate, listed_as=PLATE, differences=(MISREAD,))
    return a_sighting(
        site, seen_at, plate, **{"tier": "near", "probability": 0.12, "explanation": explanation} | fields
    )


def with_alert(sighting: FoundSighting, alert: Alert, *actions: Action) -> FoundSighting:
    """Return the sighting with an alert and what officers did about it."""
    return replace(sighting, alerts=(*sighting.alerts, alert), actions=(*sighting.actions, *actions))


def an_answer(site: str, *sightings: FoundSighting, is_whole: bool = True) -> SiteReply:
    """Return the reply of a site that answers."""
    newest_first = tuple(sorted(sightings, key=lambda one: one.arrived_at, reverse=True))
    answer = SightingsAnswer(site=site, sightings=newest_first, is_whole=is_whole, kept_since=date(2000, 1, 1))
    return SiteReply(site, answer)


def no_answer(site: str, problem: str = "did not answer within 5 s") -> SiteReply:
    """Return the reply of a site that does not answer."""
    return SiteReply(site, None, problem)
