"""People without covert permission see exactly the board that would be there without covert events."""

from datetime import UTC

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from anpr.board.board import Board
from anpr.board.board_feed import BoardFeed
from anpr.console.board.board_page import BoardPage
from anpr.console.board.card_renderer import CardRenderer
from anpr.console.board.change_stream import ChangeStream
from anpr.console.board.triage import triage_rules
from anpr.console.http.render import environment
from anpr.contracts import topics
from anpr.contracts.events import Action, Alert, Arrival, Correction, encode
from anpr.kafka.in_memory import InMemoryBroker, InMemoryTail
from anpr.runtime.settings import ConsoleSettings, Route, Settings, Site
from tests.support.entries import NoLists
from tests.support.strategies import NOON, a_correction, a_read, an_action, an_alert, an_arrival, an_entry, minutes

SETTINGS = Settings(
    {name: Site(name.title(), "memory", "redis://none") for name in ("calais", "coquelles", "dover")},
    routes=(
        Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90),
        Route(origin="calais", destination="coquelles", by="road", crossing_minutes=10),
    ),
    console=ConsoleSettings(),
)
OUTCOMES = ("misread", "handed_to_uk_port", "turned_away")
CARD = environment(None, UTC, {}).get_template("card.html")

# Few plates, reads and entries, so that open and covert facts meet in one incident.
alerts = st.builds(
    lambda plate, read, minute, handling, tier: an_alert(
        a_read(f"{plate}-{read}", plate=plate, captured_at=minutes(minute)),
        an_entry(f"{plate}-{handling}", plate=plate, handling=handling, reason=f"reason {handling}"),
        tier=tier,
    ),
    st.sampled_from(["AB1", "CD2"]),
    st.integers(1, 2),
    st.integers(0, 60),
    st.sampled_from(["open", "covert", "of a later version"]),
    st.sampled_from(["exact", "near"]),
)
kinds = st.sampled_from(["claimed", "released", "outcome", "plate_check", "comment", "retracted"])


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[str, Alert | Arrival | Correction | Action]]:
    """Return records as they come, each with its topic."""
    raised = draw(st.lists(alerts, min_size=1, max_size=8))
    records: list[tuple[str, Alert | Arrival | Correction | Action]] = [
        (topics.of_alert(alert), alert) for alert in raised
    ]
    for number in range(draw(st.integers(0, 6))):
        alert = draw(st.sampled_from(raised))
        kind = draw(kinds)
        retracts = f"action-{draw(st.integers(0, 5))}" if kind == "retracted" else None
        action = an_action(
            f"action-{number}", kind, alert, outcome=draw(st.sampled_from(OUTCOMES)), retracts=retracts
        )
        open_topic = alert.entry.handling == "open"
        records.append((topics.actions("calais") if open_topic else topics.covert_actions("calais"), action))
    records += [
        (topics.alerts("calais"), a_correction(alert))
        for alert in draw(st.lists(st.sampled_from(raised), max_size=2))
    ]
    for number, alert in enumerate(draw(st.lists(st.sampled_from(raised), max_size=3))):
        open_topic = alert.entry.handling == "open"
        arrival = an_arrival(alert, minutes(draw(st.integers(40, 120))), read_id=f"arrived-{number}")
        records.append((topics.arrivals("dover") if open_topic else topics.covert_arrivals("dover"), arrival))
    return draw(st.permutations(records))


def fold(records: list[tuple[str, Alert | Arrival | Correction | Action]], *, with_covert: bool) -> BoardFeed:
    broker = InMemoryBroker(lambda: NOON)
    for topic, fact in records:
        broker.topics[topic].append((None, encode(fact), {}, NOON))
    feed = BoardFeed(
        SETTINGS, lambda _, names: InMemoryTail(broker, names), NoLists(), lambda: NOON, with_covert=with_covert
    )
    feed.start()
    try:
        while not feed.caught_up():
            feed.fold_new_records(0.001)
    finally:
        feed.stop()
    return feed


def page(board: Board) -> bytes:
    """Return all that browsers of that board are sent at each site, as bytes."""
    sent = []
    for site in SETTINGS.sites:
        rules = triage_rules(SETTINGS, site)
        of_site = BoardPage(board, rules, CardRenderer(CARD, SETTINGS.sites, rules), ChangeStream("start"))
        sent.append(msgspec.json.encode(of_site.update((), minutes(61))))
    return b"".join(sent)


@given(streams())
def test_the_open_page_equals_the_page_folded_without_covert_events(
    records: list[tuple[str, Alert | Arrival | Correction | Action]],
) -> None:
    open_only = [(topic, fact) for topic, fact in records if "covert" not in topic]
    seen = fold(records, with_covert=True)
    alone = fold(open_only, with_covert=False)
    assert page(seen.board) == page(alone.board)
    assert seen.site_monitor.rates.shown_seconds("calais") == alone.site_monitor.rates.shown_seconds("calais")
    assert b"covert" not in page(seen.board)


@given(streams())
def test_people_with_covert_permission_see_every_alert(
    records: list[tuple[str, Alert | Arrival | Correction | Action]],
) -> None:
    whole = fold(records, with_covert=True).whole_board
    assert whole is not None
    shown = {alert.alert_id for incident in whole.incidents(minutes(61)) for alert in incident.alerts}
    assert shown == {fact.alert_id for _, fact in records if isinstance(fact, Alert)}
