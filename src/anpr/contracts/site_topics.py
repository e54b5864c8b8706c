"""The topics of a site, and what their records say: a record counts only on a topic of its own site. Pure.

So no site can speak for another, and no record can take the place of another.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from anpr.contracts import canary, events, topics
from anpr.contracts.alert_id import has_own_id
from anpr.contracts.events import Action, Alert, Arrival, ArrivalsWatched, BackCheckStatus, Correction, Loss, Status
from anpr.contracts.losses import has_own_loss_id

# What a record on one of these topics holds.
Event = Alert | Correction | Action | Arrival | ArrivalsWatched | Status | BackCheckStatus | Loss
Holds = Literal["alerts", "actions", "arrivals", "status", "dead letters"]


class SiteTopic(NamedTuple):
    """A topic of a site: the site that owns it, what it holds, and whether it is covert."""

    site: str
    holds: Holds
    is_covert: bool = False


class ForeignRecordError(Exception):
    """A record that claims another site than its topic's owner, or an alert or loss under an id not its own."""


class FutureRecordError(Exception):
    """A record of something that happened long after its broker got it."""


# What `decode` and `check_time` raise for a record that cannot be read.
UNREADABLE: Final = (*events.Undecodable, ForeignRecordError, FutureRecordError)
# The clocks of a camera, a broker and a console may differ by so much.
_CLOCKS_DIFFER: Final = timedelta(days=1)
_DECODERS: Final[Mapping[Holds, Callable[[bytes], Event]]] = {
    "alerts": events.decode_alert_record,
    "actions": events.decode_action,
    "arrivals": events.decode_arrival_record,
    "status": events.decode_status_record,
    "dead letters": events.decode_loss,
}


def decode(value: bytes, topic: SiteTopic) -> Event:
    """Return the event in a record of `topic`. Raises one of `UNREADABLE`."""
    event = _DECODERS[topic.holds](value)
    site = event.read.site if isinstance(event, Alert) else event.site
    if site != topic.site:
        raise ForeignRecordError(f"a record of site {site!r} on a topic of {topic.site!r}")
    if isinstance(event, Loss) and (event.topic != topics.reads(site) or not has_own_loss_id(event)):
        raise ForeignRecordError("a loss under an id that is not its own")
    if isinstance(event, Alert) and not canary.is_canary(event) and not has_own_id(event):
        raise ForeignRecordError("an alert under an id that is not its own")
    return event


def check_time(event: Event, arrived_at: datetime | None) -> None:
    """Refuse an event of the future: it would stay on the board until then. Raises FutureRecordError."""
    moment = _happened_at(event)
    if moment is not None and arrived_at is not None and moment - arrived_at > _CLOCKS_DIFFER:
        raise FutureRecordError(f"it happened {(moment - arrived_at).days} days after it arrived")


def _happened_at(event: Event) -> datetime | None:
    if isinstance(event, Loss):
        return event.found_at or event.until
    if isinstance(event, ArrivalsWatched):
        return event.until
    return event.at if isinstance(event, Action | Status | BackCheckStatus) else event.captured_at
