"""The topics: their names, who writes them, and how long they keep what they hold.

Every topic has one owning site, and only that site writes it. All others read it; that is how ports share.
"""

from anpr.contracts.events import Alert


def reads(site: str) -> str:
    """Return the topic on which a site's cameras publish. Keyed by camera."""
    return f"anpr.{site}.reads.v1"


def alerts(site: str) -> str:
    """Return the topic of a site's alerts and corrections. Keyed by plate."""
    return f"anpr.{site}.alerts.v1"


def covert_alerts(site: str) -> str:
    """Return the topic of the alerts that only people with the right may know of."""
    return f"anpr.{site}.alerts-covert.v1"


def actions(site: str) -> str:
    """Return the topic of what officers did. One partition, for its order decides between claims."""
    return f"anpr.{site}.actions.v1"


def covert_actions(site: str) -> str:
    """Return the topic of actions on covert alerts."""
    return f"anpr.{site}.actions-covert.v1"


def deadletters(site: str) -> str:
    """Return the topic of records that could not be matched: original bytes, reason in the headers."""
    return f"anpr.{site}.deadletters.v1"


def status(site: str) -> str:
    """Return the topic on which a site's matchers say once a second that and how they work."""
    return f"anpr.{site}.status.v1"


def of_alert(alert: Alert) -> str:
    """Return the topic that an alert goes to. A handling that is not known here is kept from open screens."""
    return alerts(alert.read.site) if alert.entry.handling == "open" else covert_alerts(alert.read.site)
