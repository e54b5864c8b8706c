"""The topics that a board reads, and their records. Pure.

Every record must belong to the site that owns its topic. So no site can speak for another.
"""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from anpr.contracts import canary, events, topics
from anpr.contracts.alert_id import has_own_id
from anpr.contracts.dead_letters import GONE
from anpr.contracts.events import Action, Alert, Arrival, Correction, Loss, Status
from anpr.kafka.interfaces import Record


class BoardTopic(NamedTuple):
    """A topic that a board reads: the site that owns it, what it holds, and whether it is covert."""

    site: str
    holds: Literal["alerts", "actions", "arrivals", "status", "dead letters"]
    is_covert: bool = False


class ForeignRecordError(Exception):
    """A record that claims another site than its topic's owner, or an alert under an id that is not its own."""


# What `decode` raises for a record that cannot be read.
UNREADABLE: Final = (*events.Undecodable, ForeignRecordError)


def board_topics(sites: Iterable[str], *, with_covert: bool) -> dict[str, BoardTopic]:
    """Return the topics of all sites by name; the covert ones only if asked for."""
    topics_by_name: dict[str, BoardTopic] = {}
    for site in sites:
        topics_by_name[topics.alerts(site)] = BoardTopic(site, "alerts")
        topics_by_name[topics.actions(site)] = BoardTopic(site, "actions")
        topics_by_name[topics.arrivals(site)] = BoardTopic(site, "arrivals")
        topics_by_name[topics.status(site)] = BoardTopic(site, "status")
        topics_by_name[topics.deadletters(site)] = BoardTopic(site, "dead letters")
        if with_covert:
            topics_by_name[topics.covert_alerts(site)] = BoardTopic(site, "alerts", is_covert=True)
            topics_by_name[topics.covert_actions(site)] = BoardTopic(site, "actions", is_covert=True)
            topics_by_name[topics.covert_arrivals(site)] = BoardTopic(site, "arrivals", is_covert=True)
    return topics_by_name


def is_for_boards(record: Record, topic: BoardTopic) -> bool:
    """Tell whether a board shows a record of `topic`: of the dead letters, only those of lost reads."""
    return topic.holds != "dead letters" or record.reason == GONE


def decode(value: bytes, topic: BoardTopic) -> Alert | Correction | Action | Arrival | Status | Loss:
    """Return the fact, status or loss in a record of `topic`. Raises one of `UNREADABLE`."""
    if topic.holds == "status":
        status = events.decode_status(value)
        _check_site(status.site, topic)
        return status
    if topic.holds == "dead letters":
        loss = events.decode_loss(value)
        _check_site(loss.site, topic)
        return loss
    if topic.holds == "arrivals":
        arrival = events.decode_arrival(value)
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


def is_covert(fact: Alert | Correction | Action | Arrival, topic: BoardTopic) -> bool:
    """Tell whether only people with the covert permission may see a fact (docs/adr/0017).

    A covert alert that was published on the open topic by mistake is covert all the same.
    """
    return topic.is_covert or (isinstance(fact, Alert) and fact.is_covert)


def _check_site(site: str, topic: BoardTopic) -> None:
    if site != topic.site:
        raise ForeignRecordError(f"a record of site {site!r} on a topic of {topic.site!r}")
