"""For any interleaving of publish, subscribe, cut and resume a browser ends with the console's state."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from anpr.web.feed import Event, Feed

HISTORY_EVENTS = 3
names = st.sampled_from("abcd")
states = st.dictionaries(names, st.integers(0, 2))


@dataclass
class Browser:
    """What the page's script does: takes events in order, keeps the last id, reads the state again on a resync."""

    state: dict[str, Any] = field(default_factory=dict)
    last_id: str = ""
    must_read: bool = True

    def take(self, events: list[Event], most: int) -> None:
        for event in events[:most]:
            if event.kind == "resync":
                self.must_read = True
                return
            changes = msgspec.json.decode(event.data)
            self.state = {n: v for n, v in self.state.items() if n not in changes["gone"]} | changes["set"]
            self.last_id = event.id

    def read(self, feed: Feed) -> None:
        """Read the whole state, with the id that belongs to it."""
        self.state, self.last_id, self.must_read = dict(feed.state), feed.last_id, False


steps = st.lists(
    st.tuples(st.just("publish"), states)
    | st.tuples(st.just("take"), st.integers(0, 3))
    | st.tuples(st.just("read"), st.none())
    | st.tuples(st.just("restart"), st.none()),
    max_size=30,
)


@given(steps)
def test_a_browser_ends_with_the_state_of_the_console(steps: list[tuple[str, Any]]) -> None:
    starts = 1
    feed = Feed("start1", HISTORY_EVENTS)
    browser = Browser()
    for step, value in steps:
        if step == "publish":
            feed.publish(value)
        elif step == "take":  # a connection that brings so many events before it is cut; 0 brings none
            browser.take(list(feed.after(browser.last_id)), value)
        elif step == "read" and browser.must_read:
            browser.read(feed)
        elif step == "restart":  # another console, or the same one anew: it knows none of the old ids
            starts += 1
            restarted = Feed(f"start{starts}", HISTORY_EVENTS)
            restarted.publish(feed.state)
            feed = restarted
    browser.take(list(feed.after(browser.last_id)), len(steps) + 1)
    if browser.must_read:
        browser.read(feed)
        browser.take(list(feed.after(browser.last_id)), len(steps) + 1)
    assert browser.state == feed.state
    assert list(feed.after(browser.last_id)) == []


@given(st.lists(states, max_size=8), st.text(max_size=12))
def test_an_id_that_is_not_known_gets_one_resync_and_nothing_else(published: list[dict[str, int]], text: str) -> None:
    feed = Feed("start", HISTORY_EVENTS)
    ids = {feed.last_id}
    for state in published:
        feed.publish(state)
        ids.add(feed.last_id)
    if text not in ids:
        assert [event.kind for event in feed.after(text)] == ["resync"]


def test_what_has_not_changed_is_not_sent() -> None:
    feed = Feed("start")
    assert feed.publish({"a": 1, "b": 2})
    assert not feed.publish({"a": 1, "b": 2})
    assert feed.publish({"a": 1, "b": 3})
    (event,) = feed.after("start-1")
    assert (event.id, msgspec.json.decode(event.data)) == ("start-2", {"set": {"b": 3}, "gone": []})


def test_an_id_older_than_the_history_gets_a_resync_and_the_oldest_kept_does_not() -> None:
    feed = Feed("start", HISTORY_EVENTS)
    for number in range(5):
        feed.publish({"a": number})
    assert [event.kind for event in feed.after("start-1")] == ["resync"]
    assert [event.id for event in feed.after("start-2")] == ["start-3", "start-4", "start-5"]
