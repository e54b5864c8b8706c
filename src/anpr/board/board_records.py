"""The topics that a board reads, and which of their records it shows to whom. Pure."""

from collections.abc import Iterable

from anpr.contracts import topics
from anpr.contracts.dead_letters import GONE
from anpr.contracts.events import Action, Alert, Arrival, Correction
from anpr.contracts.site_topics import SiteTopic
from anpr.kafka.interfaces import Record


def board_topics(sites: Iterable[str], *, with_covert: bool) -> dict[str, SiteTopic]:
    """Return the topics of all sites by name; the covert ones only if asked for."""
    topics_by_name: dict[str, SiteTopic] = {}
    for site in sites:
        topics_by_name[topics.alerts(site)] = SiteTopic(site, "alerts")
        topics_by_name[topics.actions(site)] = SiteTopic(site, "actions")
        topics_by_name[topics.arrivals(site)] = SiteTopic(site, "arrivals")
        topics_by_name[topics.status(site)] = SiteTopic(site, "status")
        topics_by_name[topics.deadletters(site)] = SiteTopic(site, "dead letters")
        if with_covert:
            topics_by_name[topics.covert_alerts(site)] = SiteTopic(site, "alerts", is_covert=True)
            topics_by_name[topics.covert_actions(site)] = SiteTopic(site, "actions", is_covert=True)
            topics_by_name[topics.covert_arrivals(site)] = SiteTopic(site, "arrivals", is_covert=True)
    return topics_by_name


def is_for_boards(record: Record, topic: SiteTopic) -> bool:
    """Tell whether a board shows a record of `topic`: of the dead letters, only those of lost reads."""
    return topic.holds != "dead letters" or record.reason == GONE


def is_covert(event: Alert | Correction | Action | Arrival, topic: SiteTopic) -> bool:
    """Tell whether only people with the covert permission may see an event (docs/adr/0017).

    A covert alert that was published on the open topic by mistake is covert all the same.
    """
    return topic.is_covert or (isinstance(event, Alert) and event.is_covert)
