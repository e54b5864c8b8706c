"""What is missing from a board, in officers' words: what a record is, and from which port, not its topic. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from anpr.contracts import topics
from anpr.runtime.plurals import counted
from anpr.runtime.settings import Site

_COVERT: Final = "covert "
# What the records of each kind of topic are.
_NOUNS: Final = {
    topics.alerts: ("alert", "alerts"),
    topics.covert_alerts: (f"{_COVERT}alert", f"{_COVERT}alerts"),
    topics.actions: ("action of an officer", "actions of officers"),
    topics.covert_actions: (f"{_COVERT}action of an officer", f"{_COVERT}actions of officers"),
    topics.arrivals: ("arrival", "arrivals"),
    topics.covert_arrivals: (f"{_COVERT}arrival", f"{_COVERT}arrivals"),
    topics.deadletters: ("report of deleted reads", "reports of deleted reads"),
    topics.status: ("report on its cameras and list", "reports on its cameras and list"),
}


def missing_in_words(counts: Mapping[str, int], sites: Mapping[str, Site]) -> Iterator[str]:
    """Yield how many records of each kind there are, from counts by topic. What is no topic of a site is a record."""
    nouns = {topic(site): (site, *words) for site in sites for topic, words in _NOUNS.items()}
    for topic, count in sorted(counts.items()):
        site, one, many = nouns.get(topic, ("", "record", "records"))
        yield f"{counted(count, one, many)} {f'from {sites[site].title}' if site else f'of {topic}'}"
