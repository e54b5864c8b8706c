"""Which event streams are open: of each session only so many, so that nobody takes all of the console's sockets."""

from typing import Final, Protocol

# More pages than anybody looks at. A browser that was cut off leaves streams behind that nobody reads for a while.
MOST_OF_A_SESSION: Final = 20


class Closable(Protocol):
    """A stream that can be told to end."""

    def give_way(self) -> None:
        """End, and tell the page why."""


class StreamLimit:
    """The streams of all sessions. One too many takes the place of the oldest: what was just opened is looked at."""

    def __init__(self) -> None:
        """Begin with none."""
        self._of: dict[str, list[Closable]] = {}

    def enter(self, session: str, stream: Closable) -> None:
        """Take in a stream that opens."""
        streams = self._of.setdefault(session, [])
        streams.append(stream)
        if len(streams) > MOST_OF_A_SESSION:
            streams.pop(0).give_way()

    def leave(self, session: str, stream: Closable) -> None:
        """Forget a stream that has ended."""
        streams = [one for one in self._of.pop(session, ()) if one is not stream]
        if streams:
            self._of[session] = streams
