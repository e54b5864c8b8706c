"""However publishing, connecting, cutting and resuming interleave, a browser ends with the console's state."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from anpr.console.board.change_stream import ChangeStream, StreamEvent

NAMES_REMEMBERED = 3
names = st.sampled_from("abcd")
states = st.dictionaries(names, st.integers(0, 2))


@dataclass
class Browser:
    """What the page's script does: applies changes, keeps the last id, reads the state again on a resync."""

    state: dict[str, Any] = field(default_factory=dict)
    last_id: str = ""
    must_read: bool = True

    def apply(self, event: StreamEvent | None) -> None:
        if event is None:
            return
        if event.kind == "resync":
            self.must_read = True
            return
        changes = msgspec.json.decode(event.data)
        self.state = {n: v for n, v in self.state.items() if n not in changes["removed"]} | changes["set"]
        self.last_id = event.id

    def read(self, stream: ChangeStream) -> None:
        """Read the whole state, with the id that belongs to it."""
        self.state, self.last_id, self.must_read = dict(stream.state), stream.last_id, False


steps = st.lists(
    st.tuples(st.just("publish"), states)
    | st.tuples(st.just("take"), st.booleans())
    | st.tuples(st.just("read"), st.none())
    | st.tuples(st.just("restart"), st.none()),
    max_size=30,
)


@given(steps)
def test_a_browser_ends_with_the_state_of_the_console(steps: list[tuple[str, Any]]) -> None:
    starts = 1
    stream = ChangeStream("start1", NAMES_REMEMBERED)
    browser = Browser()
    for step, value in steps:
        if step == "publish":
            stream.publish(value)
        elif step == "take":  # a connection that breaks before or after it has brought the changes
            browser.apply(stream.changes_since(browser.last_id) if value else None)
        elif step == "read" and browser.must_read:
            browser.read(stream)
        elif step == "restart":  # another console, or the same one restarted: it knows no earlier id
            starts += 1
            restarted = ChangeStream(f"start{starts}", NAMES_REMEMBERED)
            restarted.publish(stream.state)
            stream = restarted
    browser.apply(stream.changes_since(browser.last_id))
    if browser.must_read:
        browser.read(stream)
    assert browser.state == stream.state
    assert stream.changes_since(browser.last_id) is None


@given(st.lists(states, max_size=8), st.text(max_size=12))
def test_an_unknown_id_gets_a_single_resync(published: list[dict[str, int]], text: str) -> None:
    stream = ChangeStream("start", NAMES_REMEMBERED)
    ids = {stream.last_id}
    for state in published:
        stream.publish(state)
        ids.add(stream.last_id)
    if text not in ids:
        event = stream.changes_since(text)
        assert event is not None
        assert (event.kind, event.id) == ("resync", stream.last_id)


def test_unchanged_values_are_not_sent() -> None:
    stream = ChangeStream("start")
    assert stream.publish({"a": 1, "b": 2})
    assert not stream.publish({"a": 1, "b": 2})
    assert stream.publish({"a": 1, "b": 3})
    event = stream.changes_since("start-1")
    assert event is not None
    assert (event.id, msgspec.json.decode(event.data)) == ("start-2", {"set": {"b": 3}, "removed": []})


def test_a_slow_browser_is_sent_only_the_newest_values() -> None:
    stream = ChangeStream("start")
    for number in range(1000):
        stream.publish({"a": number, f"of-{number}": 0})
    event = stream.changes_since("start-1")
    assert event is not None
    changes = msgspec.json.decode(event.data)
    assert changes["set"] == {"a": 999, "of-999": 0}
    assert "of-0" in changes["removed"]


def test_browsers_with_the_same_state_get_the_same_bytes_encoded_once() -> None:
    stream = ChangeStream("start")
    stream.publish({"a": 1})
    stream.publish({"a": 2})
    assert stream.changes_since("start-1") is stream.changes_since("start-1")


def test_only_a_browser_that_was_away_for_too_long_gets_a_resync() -> None:
    stream = ChangeStream("start", NAMES_REMEMBERED)
    for number in range(5):
        stream.publish({f"name-{number}": number})  # each sets one name and ends the one before
    kinds = [
        event and event.kind
        for event in map(stream.changes_since, ("start-1", "start-2", "start-3", "start-4", "start-5"))
    ]
    assert kinds == ["resync", "resync", "changes", "changes", None]
