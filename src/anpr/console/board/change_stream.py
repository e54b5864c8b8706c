"""The changes that the console sends to browsers: first the whole state, then each change. Pure.

The state is a dictionary of the page's items by name. Each `publish` gives it the next number. A browser has the
number of its state, and `changes_since` returns what differs now, as one event. So to the console a browser is only a
number, and all browsers with the same number get the same bytes, which are encoded once. A slow browser is never sent
a value that has been replaced meanwhile: it gets at most the whole state.

Ids begin with an id of this start of the console. An id that this stream does not know (of another start, or older
than it remembers) gets a single `resync` event. The browser then reads the whole state, with its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from msgspec import Struct

# The last change is remembered for this many names: several times as many as a page shows at the same time.
NAMES_REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """The changes that lead to the state `id`: as JSON, and encoded as they are sent to any number of browsers."""

    id: str
    kind: str
    data: bytes
    encoded: bytes


class PageChanges(Struct):
    """The difference between two states: the values that are new or changed, and the names that were removed."""

    set: dict[str, object]
    removed: list[str]


class ChangeStream:
    """The state of one page and its changes."""

    def __init__(self, start_id: str, names_remembered: int = NAMES_REMEMBERED) -> None:
        """Start with an empty state, number 0."""
        self.state: Mapping[str, object] = {}
        self._start_id = start_id
        self._number = 0
        # The number at which each name last changed, the newest last. No dropped name changed after `_dropped`.
        self._changed: dict[str, int] = {}
        self._dropped = 0
        self._names_remembered = names_remembered
        self._events: dict[str, StreamEvent] = {}

    @property
    def last_id(self) -> str:
        """The id of the current state."""
        return self._id(self._number)

    def publish(self, state: Mapping[str, object]) -> bool:
        """Make `state` the current one; nobody may change it later. Return whether it differs from the last."""
        before = self.state
        changed = [name for name, value in state.items() if (had := before.get(name)) is not value and had != value]
        changed += [name for name in before if name not in state]
        if not changed:
            return False
        self.state = state
        self._number += 1
        self._events.clear()
        for name in changed:
            self._changed.pop(name, None)
            self._changed[name] = self._number
        while len(self._changed) > self._names_remembered:
            self._dropped = self._changed.pop(next(iter(self._changed)))
        return True

    def changes_since(self, event_id: str) -> StreamEvent | None:
        """Return the changes since the state of this id: None when there are none, a `resync` for an unknown id."""
        if event_id == self.last_id:
            return None
        event = self._events.get(event_id)
        if event is None:
            event = self._event(event_id)
            if event.kind != "resync":  # a client may ask with any text, and that must not fill memory
                self._events[event_id] = event
        return event

    def _event(self, event_id: str) -> StreamEvent:
        number = self._number_of(event_id)
        if number is None:
            return _event(self.last_id, "resync", b"{}")
        changes = PageChanges({}, [])
        for name, changed_at in reversed(self._changed.items()):
            if changed_at <= number:
                break
            if name in self.state:
                changes.set[name] = self.state[name]
            else:
                changes.removed.append(name)
        return _event(self.last_id, "changes", msgspec.json.encode(changes))

    def _number_of(self, event_id: str) -> int | None:
        """Return the number of a state if the changes since then are still known."""
        _, _, text = event_id.rpartition("-")
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(self._number)) else -1
        return number if self._dropped <= number < self._number and event_id == self._id(number) else None

    def _id(self, number: int) -> str:
        return f"{self._start_id}-{number}"


def _event(event_id: str, kind: str, data: bytes) -> StreamEvent:
    return StreamEvent(
        event_id, kind, data, b"id: %b\nevent: %b\ndata: %b\n\n" % (event_id.encode(), kind.encode(), data)
    )
