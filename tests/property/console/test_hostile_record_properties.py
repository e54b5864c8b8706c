"""Whatever a site writes on its own topics: no other incident changes, and no page fails, in any time zone."""

import io
import json
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import jinja2
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from anpr.board.board_feed import BoardFeed
from anpr.board.journeys import ALWAYS, arrival_state, arrivals, routes_to
from anpr.cli.watch import view_of
from anpr.console.auth.authentication import SignedIn
from anpr.console.auth.sessions import Session
from anpr.console.auth.users_file import User
from anpr.console.board.board_page import BoardPage
from anpr.console.board.card_renderer import CardRenderer
from anpr.console.board.change_stream import ChangeStream
from anpr.console.board.page_publisher import PagePublisher
from anpr.console.board.site_view import SiteView
from anpr.console.board.stream_broadcast import StreamBroadcast
from anpr.console.board.triage import triage_rules
from anpr.console.bootstrap import _templates
from anpr.console.http.page_renderer import PageRenderer
from anpr.console.http.routes.incident_routes import _values
from anpr.console.local_time import weekday_time_in
from anpr.console.status.current_status import CurrentStatus
from anpr.contracts import topics
from anpr.contracts.alert_id import alert_id
from anpr.contracts.events import Alert, EntryEnded, EntryListed, Undecodable, decode_alert_record, encode
from anpr.kafka.in_memory import InMemoryBroker, InMemoryTail
from anpr.kafka.interfaces import Record
from anpr.runtime.settings import Camera, Route, Settings, Site
from anpr.terminal.incident_lines import arrival_line, incident_line
from anpr.terminal.view import draw, draw_arrivals
from tests.support import strategies
from tests.support.entries import NoLists
from tests.support.spoilt import MOMENTS, spoilt
from tests.support.strategies import NOON, a_read, an_action, an_alert, an_entry, generation

ZONES = ("Pacific/Kiritimati", "Europe/Paris", "Pacific/Pago_Pago")
SITES = ("calais", "coquelles", "dover")
PERSON = SignedIn(
    User(name="cleo", role="supervisor", sites=("*",), covert=True),
    Session(user="cleo", csrf="x", started_at=NOON, expires_at=NOON),
)
GOOD = an_alert(a_read("good", plate="GD01ABC", captured_at=NOON), an_entry("good", plate="GD01ABC"), raised_at=NOON)


# To compile the templates takes longer than all else.
TEMPLATES: dict[str, jinja2.Environment] = {}


class Screens:
    """A console and a terminal view, without servers."""

    def __init__(self, zone: str) -> None:
        routes = (
            Route(origin="calais", destination="dover", by="ferry", crossing_minutes=90, wait_minutes=30),
            Route(origin="coquelles", destination="calais", by="road", crossing_minutes=10),
            Route(origin="dover", destination="calais", by="ferry", crossing_minutes=90, wait_minutes=30),
        )
        sites = {
            name: Site(name.title(), "memory", "redis://none", (Camera("camera-1", "1", "front"),), zone)
            for name in SITES
        }
        self.settings = Settings(sites, routes=routes)
        broker = InMemoryBroker(lambda: NOON)
        self.feed = BoardFeed(
            self.settings, lambda _, names: InMemoryTail(broker, names), NoLists(), lambda: NOON, with_covert=True
        )
        rules = triage_rules(self.settings, "calais")
        if zone not in TEMPLATES:
            TEMPLATES[zone] = _templates(self.settings, "calais", None)
        self.templates = TEMPLATES[zone]
        card = self.templates.get_template("card.html")
        boards = {False: self.feed.board, True: self.feed.whole_board or self.feed.board}
        self.pages = {
            covert: BoardPage(board, rules, CardRenderer(card, sites, rules), ChangeStream("start"))
            for covert, board in boards.items()
        }
        self.view = SiteView(sites, rules, lambda: NOON, lambda: None, lambda: NOON)
        self.status = CurrentStatus(self.settings, "calais", weekday_time_in(sites["calais"].zone))
        self._publisher = PagePublisher(self.pages, self.status, StreamBroadcast(lambda: b""), lambda: None)
        # The publisher hands the pages to the event loop: here they are published at once.
        self._publisher.publish_in(cast("Any", SimpleNamespace(call_soon_threadsafe=lambda publish: publish())))
        self._offset = 0
        board = cast("Any", SimpleNamespace(stream_for=lambda _: self.pages[True].stream))
        sessions = cast("Any", SimpleNamespace(is_redis_away=False))
        self.renderer = PageRenderer(self.templates, board, self.status, sessions, lambda: NOON)

    def put(self, topic: str, value: bytes) -> None:
        self._offset += 1
        self.feed._fold_alone(Record(topic, 0, self._offset, NOON, value))

    def tick(self) -> None:
        for _ in range(2):  # the second says what the first could not show
            self._publisher.tick(self.feed, NOON)

    def good_cards(self) -> list[object]:
        return [page.stream.state.get(GOOD.alert_id) for page in self.pages.values()]

    def show_everything(self) -> None:
        """Make every page and every line of the terminal."""
        known = self.status.known_to(covert=True)
        self.renderer.page(
            "health.html", PERSON, system=known.system, warnings=known.warnings, unwarned=known.unwarned, done=""
        )
        assert self.feed.whole_board is not None
        incidents = self.feed.whole_board.incidents(NOON)
        for incident in incidents:
            self.renderer.page("incident.html", PERSON, **_values(incident, self.view), after="", done="")
            msgspec.json.encode(incident_line(incident))
        groups = {"own": [], "colleagues": [], "unclaimed": [self.view.card(incident) for incident in incidents]}
        self.renderer.page("shift.html", PERSON, cards=groups, more=0, review_below_score=0.5)
        for width in (80, 160):
            picture = draw(view_of(self.feed, self.settings, (), NOON), self.settings.sites, 20, width)
            Console(file=io.StringIO(), width=width).print(picture)
        for site in SITES:
            routes = routes_to(site, self.settings.routes)
            due = [
                (incident, concern, arrival_state(concern, NOON, ALWAYS))
                for incident, concern in arrivals(incidents, site, routes, NOON)
            ]
            for width in (80, 200):
                Console(file=io.StringIO()).print(draw_arrivals(due, self.settings.sites, site, width))
            msgspec.json.encode([arrival_line(*arrival) for arrival in due])


@st.composite
def records(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a record of any contract on a topic of its own site."""
    site = draw(st.sampled_from(SITES))
    topic_of = {
        "alert": topics.alerts,
        "correction": topics.alerts,
        "action": topics.actions,
        "status": topics.status,
        "back_check_status": topics.status,
        "loss": topics.deadletters,
    }
    kind = draw(st.sampled_from(sorted(topic_of)))
    fact = msgspec.to_builtins(draw(strategies.events[kind]), builtin_types=())
    written = draw(spoilt(json.loads(msgspec.json.encode(fact))))
    (written["read"] if kind == "alert" else written)["site"] = site
    if kind == "action" and draw(st.booleans()):
        written["alert_id"] = GOOD.alert_id if site == "dover" else "an alert that never comes"
        written["kind"] = "comment"
    value = json.dumps(written).encode()
    try:
        alert = decode_alert_record(value) if kind == "alert" else None
    except Undecodable:
        return topic_of[kind](site), value
    if isinstance(alert, Alert):
        name = alert_id(alert.read.identity, alert.entry.entry_id)
        value = encode(msgspec.structs.replace(alert, alert_id=name))
    return topic_of[kind](site), value


@settings(max_examples=40)
@given(written=st.lists(records(), min_size=1, max_size=4), zone=st.sampled_from(ZONES))
def test_no_record_changes_another_incident_or_fails_a_page(written: list[tuple[str, bytes]], zone: str) -> None:
    about_it = [value for topic, value in written if b"actions" in topic.encode() and GOOD.alert_id.encode() in value]
    screens = Screens(zone)
    screens.put(topics.alerts("calais"), encode(GOOD))
    screens.tick()
    before = screens.good_cards()
    assert all(before)
    for topic, value in written:
        screens.put(topic, value)
    screens.tick()
    screens.show_everything()
    assert about_it or screens.good_cards() == before
    assert all(screens.good_cards())
    assert not [page.not_shown for page in screens.pages.values() if page.not_shown]
    assert "is not known" not in "".join(screens.status.known_to(covert=True).warnings)


ENDS = st.sampled_from([datetime.fromisoformat(moment) for moment in MOMENTS])


@settings(max_examples=15)
@given(valid_until=ENDS, valid_from=ENDS, days=st.sampled_from((None, "9999-12-31", "0001-01-01")))
@example(valid_until=datetime.fromisoformat("9999-12-31T23:59:59+00:00"), valid_from=NOON, days=None)
def test_an_entry_may_be_valid_from_and_until_any_moment(
    valid_until: datetime, valid_from: datetime, days: str | None
) -> None:
    day = datetime.fromisoformat(days).date() if days else None
    for zone in ZONES:
        screens = Screens(zone)
        entry = an_entry(
            plate="AB12CDE",
            valid_from=valid_from,
            valid_until=valid_until,
            valid_until_day=day,
            valid_from_day=day,
        )
        screens.put(topics.alerts("calais"), encode(an_alert(a_read(plate="AB12CDE"), entry, raised_at=NOON)))
        screens.feed._add_update_alone(EntryListed(entry=entry, generation=generation(2)))
        screens.feed._add_update_alone(
            EntryEnded(entry_id="e", revision=generation(3), ended_at=valid_until, why="w")
        )
        screens.tick()
        screens.show_everything()
        assert not screens.feed.unreadable_records
        assert screens.status.known_to(covert=True).system.health


@pytest.mark.parametrize("broken", ["stays", "position", "card"])
def test_what_cannot_be_computed_is_counted_and_costs_no_other(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_for(name: str, of_first: Any, place: Any) -> None:
        works = getattr(place, name)

        def fails(*args: Any, **more: Any) -> Any:
            if "BAD" in of_first(*args):
                raise OverflowError
            return works(*args, **more)

        monkeypatch.setattr(place, name, fails)

    match broken:
        case "stays":
            fail_for("_incidents_of", lambda _, key, __: key[1], __import__("anpr.board.board").board.board.Board)
        case "position":
            module = __import__("anpr.console.board.board_page").console.board.board_page
            fail_for("position_of", lambda incident, *_: incident.plate, module)
        case "card":
            fail_for("draw", lambda _, placed: placed.incident.plate, CardRenderer)
    screens = Screens("Europe/Paris")
    bad = an_alert(a_read("bad", plate="BAD"), an_entry("bad", plate="BAD"), raised_at=NOON)
    for alert in (bad, GOOD):
        screens.put(topics.alerts("calais"), encode(alert))
    screens.tick()
    assert all(screens.good_cards())
    for covert in (False, True):
        warnings = screens.status.known_to(covert=covert).warnings
        assert any(warning.startswith("1 vehicle cannot be shown") for warning in warnings)


def test_a_record_beyond_the_bounds_is_counted_and_said() -> None:
    screens = Screens("Europe/Paris")
    screens.put(topics.alerts("calais"), encode(GOOD))
    poison = json.loads(encode(an_action("z", "outcome", GOOD, site="dover")))
    screens.put(topics.actions("dover"), json.dumps({**poison, "at": "9999-12-31T23:59:59Z"}).encode())
    screens.put(topics.actions("dover"), b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    screens.tick()
    screens.show_everything()
    said = [warning for warning in screens.status.known_to(covert=False).warnings if "cannot be read" in warning]
    assert [warning[:2] for warning in said] == ["2 "]
