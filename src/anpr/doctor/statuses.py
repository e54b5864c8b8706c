"""The statuses of a site's matchers, as its boards take them. Pure."""

from anpr.board.board_records import UNREADABLE, BoardTopic, decode
from anpr.contracts.events import Status


def status_in(value: bytes, site: str) -> Status | None:
    """Return the status in a record of a site's status topic, None where it holds none, or one of another site."""
    try:
        status = decode(value, BoardTopic(site, "status"))
    except UNREADABLE:
        return None
    return status if isinstance(status, Status) else None
