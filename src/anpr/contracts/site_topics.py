"""The topics of a site, and what their records say: a record counts only on a topic of its own site. Pure.

So no site can speak for another, and no record can take the place of another.
"""

from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from anpr.contracts import canary, events, topics
from anpr.contracts.alert_id import has_own_id
from anpr.contracts.events import Action, Alert, Arrival, ArrivalsWatched, Correction, Loss, Status
from anpr.contracts.losses import has_own_loss_id

# What is folded into incidents.
Fact = Alert | Correction | Action | Arrival


class SiteTopic(NamedTuple):
    """A topic of a site: the site that owns it, what it holds, and whether it is covert."""

    site: str
    holds: Literal["alerts", "actions", "arrivals", "status", "dead letters"]
    is_covert: bool = False


class ForeignRecordError(Exception):
    """A record that claims another site than its topic's owner, or an alert or loss under an id not its own."""


class FutureRecordError(Exception):
    """A record of something that happened long after its broker got it."""


# What `decode` and `check_time` raise for a record that cannot be read.
UNREADABLE: Final = (*events.Undecodable, ForeignRecordError, FutureRecordError)
# The clocks of a camera, a broker and a console may differ by so much.
_CLOCKS_DIFFER: Final = timedelta(days=1)


def decode(value: bytes, topic: SiteTopic) -> Fact | ArrivalsWatched | Status | Loss:
    """Return the fact, status or loss in a record of `topic`. Raises one of `UNREADABLE`."""
    if topic.holds == "status":
        status = events.decode_status(value)
        _check_site(status.site, topic)
        return status
    if topic.holds == "dead letters":
        loss = events.decode_loss(value)
        _check_site(loss.site, topic)
        if loss.topic != topics.reads(loss.site) or not has_own_loss_id(loss):
            raise ForeignRecordError("a loss under an id that is not its own")
        return loss
    if topic.holds == "arrivals":
        arrival = events.decode_arrival_record(value)
        _check_site(arrival.site, topic)
        return arrival
    if topic.holds == "actions":
        action = events.decode_action(value)
        _check_site(action.site, topic)
        return action
    fact = events.decode_alert_record(value)
    _check_site(fact.site if isinstance(fact, Correction) else fact.read.site, topic)
    if isinstance(fact, Alert) and not canary.is_canary(fact) and not has_own_id(fact):
        raise ForeignRecordError("an alert under an id that is not its own")
    return fact


def check_time(fact: Fact | ArrivalsWatched | Status | Loss, arrived_at: datetime | None) -> None:
    """Refuse a fact of the future: it would stay on the board until then. Raises FutureRecordError."""
    moment = _happened_at(fact)
    if moment is not None and arrived_at is not None and moment - arrived_at > _CLOCKS_DIFFER:
        raise FutureRecordError(f"it happened {(moment - arrived_at).days} days after it arrived")


def _happened_at(fact: Fact | ArrivalsWatched | Status | Loss) -> datetime | None:
    if isinstance(fact, Loss):
        return fact.found_at or fact.until
    if isinstance(fact, ArrivalsWatched):
        return fact.until
    return fact.at if isinstance(fact, Action | Status) else fact.captured_at


def _check_site(site: str, topic: SiteTopic) -> None:
    if site != topic.site:
        raise ForeignRecordError(f"a record of site {site!r} on a topic of {topic.site!r}")
