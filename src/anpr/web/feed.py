"""What browsers are told: the state first, then every change from that point on. Pure: no sockets, no clock.

Theory of operation: the state is a dictionary of what is on the page, by name. `publish` compares a new state with
the last one and appends the difference to a bounded history as one numbered event. A browser holds the id of the last
event that it has; `after` gives what followed. So a browser is nothing but a number here: one that is slow or
dead holds nothing up and costs nothing but itself.

Ids begin with the id of this start of the console. One that this feed does not know (another start's, or older than
the history) gets a single `resync`: the browser then reads the whole state again, and the id that goes with it.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct

# At ten events a second more than a minute: a browser that was away for longer reads the state again.
HISTORY_EVENTS = 1000


class Event(NamedTuple):
    """One event, ready to be sent to any number of browsers."""

    id: str
    kind: str
    data: bytes


class Changes(Struct):
    """The difference of two states: what is new or other than it was, and the names that are gone."""

    set: dict[str, object]
    gone: list[str]


class Feed:
    """The state of one page and its changes."""

    def __init__(self, start_id: str, history_events: int = HISTORY_EVENTS) -> None:
        """Begin with an empty state, at event 0 of this start."""
        self.state: Mapping[str, object] = {}
        self._start_id = start_id
        self._number = 0
        self._history: deque[Event] = deque(maxlen=history_events)

    @property
    def last_id(self) -> str:
        """The id that belongs to the present state."""
        return self._id(self._number)

    def publish(self, state: Mapping[str, object]) -> bool:
        """Make `state` the present one. Return whether it differs from the last. It must not be changed later."""
        before = self.state
        changes = Changes(
            {name: value for name, value in state.items() if name not in before or before[name] != value},
            [name for name in before if name not in state],
        )
        if not changes.set and not changes.gone:
            return False
        self.state = state
        self._number += 1
        self._history.append(Event(self.last_id, "changes", msgspec.json.encode(changes)))
        return True

    def after(self, event_id: str) -> Sequence[Event]:
        """Return the events that follow this one, oldest first; a single `resync` when it is not known."""
        start_id, _, number = event_id.rpartition("-")
        missing = self._number - int(number) if number.isascii() and number.isdigit() else -1
        is_ours = start_id == self._start_id and event_id == self._id(self._number - missing)
        if not is_ours or not 0 <= missing <= len(self._history):
            return [Event(self.last_id, "resync", b"{}")]
        return [self._history[index] for index in range(len(self._history) - missing, len(self._history))]

    def _id(self, number: int) -> str:
        return f"{self._start_id}-{number}"
