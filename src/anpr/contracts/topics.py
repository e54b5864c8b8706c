"""The names of the topics, and the topic of each alert and action.

Every topic belongs to one site, and only that site writes to it. All other sites read it: so ports share alerts.
"""

from typing import NamedTuple

from anpr.contracts.events import Action, Alert


class AddressedAction(NamedTuple):
    """An action and its audience: only people with the covert permission see one that `is_covert`."""

    action: Action
    is_covert: bool


def reads(site: str) -> str:
    """Return the topic of a site's reads. Keyed by camera."""
    return f"anpr.{site}.reads.v1"


def alerts(site: str) -> str:
    """Return the topic of a site's alerts and corrections. Keyed by plate."""
    return f"anpr.{site}.alerts.v1"


def covert_alerts(site: str) -> str:
    """Return the topic of a site's alerts that only people with the covert permission may see."""
    return f"anpr.{site}.alerts-covert.v1"


def actions(site: str) -> str:
    """Return the topic of officers' actions. It has one partition: its order decides between two claims."""
    return f"anpr.{site}.actions.v1"


def covert_actions(site: str) -> str:
    """Return the topic of actions on covert alerts."""
    return f"anpr.{site}.actions-covert.v1"


def arrivals(site: str) -> str:
    """Return the topic of the expected vehicles that were seen at a site."""
    return f"anpr.{site}.arrivals.v1"


def covert_arrivals(site: str) -> str:
    """Return the topic of those that only covert alerts made expected."""
    return f"anpr.{site}.arrivals-covert.v1"


def deadletters(site: str) -> str:
    """Return the topic of dead letters: the original bytes, with the reason in the headers."""
    return f"anpr.{site}.deadletters.v1"


def status(site: str) -> str:
    """Return the topic on which each matcher of a site publishes its status once a second."""
    return f"anpr.{site}.status.v1"


def audit_heads(site: str) -> str:
    """Return the topic with the ends of a site's audit chains, which the other sites keep."""
    return f"anpr.{site}.audit-heads.v1"


def of_alert(alert: Alert) -> str:
    """Return the topic of an alert, by its audience."""
    return covert_alerts(alert.read.site) if alert.is_covert else alerts(alert.read.site)


def of_action(addressed: AddressedAction) -> str:
    """Return the topic of an action, by its audience."""
    site = addressed.action.site
    return covert_actions(site) if addressed.is_covert else actions(site)


def covert(site: str) -> tuple[str, ...]:
    """Return a site's topics that only people with the covert permission may read."""
    return covert_alerts(site), covert_actions(site), covert_arrivals(site)
