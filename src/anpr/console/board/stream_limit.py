"""Which event streams are open: of each session only so many, so that nobody takes all of the console's sockets."""

from typing import Final, Protocol

# More pages than anybody looks at. A browser that was cut off leaves streams behind that nobody reads for a while.
MAX_OF_A_SESSION: Final = 20


class EndableStream(Protocol):
    """A stream that can be told to end."""

    def end_as_too_many(self) -> None:
        """End, and tell the page why."""


class StreamLimit:
    """The streams of all sessions. One too many takes the place of the oldest: what was just opened is looked at."""

    def __init__(self) -> None:
        """Start with none."""
        self._by_session: dict[str, list[EndableStream]] = {}

    def add(self, session: str, stream: EndableStream) -> None:
        """Count a stream that opens. The oldest ends when it is one too many."""
        streams = self._by_session.setdefault(session, [])
        streams.append(stream)
        if len(streams) > MAX_OF_A_SESSION:
            streams.pop(0).end_as_too_many()

    def remove(self, session: str, stream: EndableStream) -> None:
        """Forget a stream that has ended."""
        streams = [open_stream for open_stream in self._by_session.pop(session, ()) if open_stream is not stream]
        if streams:
            self._by_session[session] = streams
