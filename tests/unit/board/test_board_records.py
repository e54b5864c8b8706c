"""The boards of people without the covert permission read no covert topic and show no covert record."""

from anpr.board.board_records import board_topics, is_covert
from anpr.contracts import topics
from anpr.contracts.site_topics import SiteTopic
from tests.support.strategies import a_read, an_alert, an_entry

ALERTS = SiteTopic("calais", "alerts")
COVERT_ALERTS = SiteTopic("calais", "alerts", is_covert=True)


def test_covert_topics_are_read_only_if_asked_for() -> None:
    open_topics = board_topics(["calais"], with_covert=False)
    assert open_topics.keys() == {
        topics.alerts("calais"),
        topics.actions("calais"),
        topics.arrivals("calais"),
        topics.status("calais"),
        topics.deadletters("calais"),
    }
    all_topics = board_topics(["calais"], with_covert=True)
    assert {name for name, topic in all_topics.items() if topic.is_covert} == set(topics.covert("calais"))


def test_a_record_of_a_covert_topic_is_covert_and_so_is_a_covert_alert_on_the_open_topic() -> None:
    open_alert, covert_alert = (an_alert(a_read(), an_entry(handling=handling)) for handling in ("open", "covert"))
    assert not is_covert(open_alert, ALERTS)
    assert is_covert(open_alert, COVERT_ALERTS)
    assert is_covert(covert_alert, ALERTS)
