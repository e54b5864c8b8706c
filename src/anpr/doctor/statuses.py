"""The statuses of a site's matchers, as its boards take them. Pure."""

from anpr.contracts.events import Status
from anpr.contracts.site_topics import UNREADABLE, SiteTopic, decode


def status_in(value: bytes, site: str) -> Status | None:
    """Return the status in a record of a site's status topic, None where it holds none, or one of another site."""
    try:
        status = decode(value, SiteTopic(site, "status"))
    except UNREADABLE:
        return None
    return status if isinstance(status, Status) else None
