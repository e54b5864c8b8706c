"""What browsers are told: the state first, then what has changed since. Pure.

Theory of operation: the state is a dictionary of what is on the page, by name, and each `publish` gives it the next
number. A browser holds the number of the state that it has; `since` gives what is other now, as one event. So a
browser is nothing but a number here, and all that hold the same number get the same bytes, which are made once. One
that is slow is never sent what has been overtaken meanwhile: what it gets is at most the whole state.

Ids begin with the id of this start of the console. One that this stream does not know (another start's, or older than
what is remembered) gets a single `resync`: the browser then reads the whole state, and the id that goes with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from msgspec import Struct

# What was last changed, by name, is remembered for so many names: some times more than are on the page at once.
NAMES_REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class Event:
    """What leads to the state `id`, and as it is sent to any number of browsers."""

    id: str
    kind: str
    data: bytes
    sent: bytes


class PageChanges(Struct):
    """The difference of two states: what is new or other than it was, and the names that are gone."""

    set: dict[str, object]
    gone: list[str]


class ChangeStream:
    """The state of one page and its changes."""

    def __init__(self, start_id: str, names_remembered: int = NAMES_REMEMBERED) -> None:
        """Begin with an empty state, number 0 of this start."""
        self.state: Mapping[str, object] = {}
        self._start_id = start_id
        self._number = 0
        # The number at which each name was last changed, the newest last; whatever was dropped is no newer than that.
        self._changed: dict[str, int] = {}
        self._dropped = 0
        self._names_remembered = names_remembered
        self._made: dict[str, Event] = {}

    @property
    def last_id(self) -> str:
        """The id that belongs to the present state."""
        return self._id(self._number)

    def publish(self, state: Mapping[str, object]) -> bool:
        """Make `state` the present one. Return whether it differs from the last. It must not be changed later."""
        before = self.state
        changed = [name for name, value in state.items() if (had := before.get(name)) is not value and had != value]
        changed += [name for name in before if name not in state]
        if not changed:
            return False
        self.state = state
        self._number += 1
        self._made.clear()
        for name in changed:
            self._changed.pop(name, None)
            self._changed[name] = self._number
        while len(self._changed) > self._names_remembered:
            self._dropped = self._changed.pop(next(iter(self._changed)))
        return True

    def since(self, event_id: str) -> Event | None:
        """Return what is other now than in the state of this id: None, nothing; a `resync` when it is not known."""
        if event_id == self.last_id:
            return None
        made = self._made.get(event_id)
        if made is None:
            made = self._event(event_id)
            if made.kind != "resync":  # any text may be asked for, and nothing is kept of it
                self._made[event_id] = made
        return made

    def _event(self, event_id: str) -> Event:
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
                changes.gone.append(name)
        return _event(self.last_id, "changes", msgspec.json.encode(changes))

    def _number_of(self, event_id: str) -> int | None:
        """Return the number of a state of which it is known what has changed since."""
        _, _, text = event_id.rpartition("-")
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(self._number)) else -1
        return number if self._dropped <= number < self._number and event_id == self._id(number) else None

    def _id(self, number: int) -> str:
        return f"{self._start_id}-{number}"


def _event(event_id: str, kind: str, data: bytes) -> Event:
    return Event(event_id, kind, data, b"id: %b\nevent: %b\ndata: %b\n\n" % (event_id.encode(), kind.encode(), data))
