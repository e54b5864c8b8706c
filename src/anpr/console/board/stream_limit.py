"""Limits the open event streams of each session, so that nobody takes all sockets of the console."""

from typing import Final, Protocol

# More pages than anybody looks at. A browser that was cut off leaves unread streams behind for a while.
MAX_OF_A_SESSION: Final = 20


class EndableStream(Protocol):
    """A stream that can be ended."""

    def end_as_too_many(self) -> None:
        """End, and tell the page why."""


class StreamLimit:
    """The open streams of every session. When a session has too many, its oldest is ended.

    People look at the newest page.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._by_session: dict[str, list[EndableStream]] = {}

    def add(self, session: str, stream: EndableStream) -> None:
        """Count a stream that opens. When there are too many, the oldest ends."""
        streams = self._by_session.setdefault(session, [])
        streams.append(stream)
        if len(streams) > MAX_OF_A_SESSION:
            streams.pop(0).end_as_too_many()

    def remove(self, session: str, stream: EndableStream) -> None:
        """Forget a stream that has ended."""
        streams = [open_stream for open_stream in self._by_session.pop(session, ()) if open_stream is not stream]
        if streams:
            self._by_session[session] = streams
