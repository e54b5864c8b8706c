"""Which event feeds are open: of each session only so many, so that nobody takes all of the console's sockets."""

from typing import Final, Protocol

# More pages than anybody looks at. A browser that was cut off leaves feeds behind that nobody reads for a while.
MOST_OF_A_SESSION: Final = 20


class Closable(Protocol):
    """A feed that can be told to end."""

    def give_way(self) -> None:
        """End, and tell the page why."""


class StreamLimit:
    """The feeds of all sessions. One too many takes the place of the oldest: what was just opened is looked at."""

    def __init__(self) -> None:
        """Begin with none."""
        self._of: dict[str, list[Closable]] = {}

    def enter(self, session: str, feed: Closable) -> None:
        """Take in a feed that opens."""
        feeds = self._of.setdefault(session, [])
        feeds.append(feed)
        if len(feeds) > MOST_OF_A_SESSION:
            feeds.pop(0).give_way()

    def leave(self, session: str, feed: Closable) -> None:
        """Forget a feed that has ended."""
        feeds = [one for one in self._of.pop(session, ()) if one is not feed]
        if feeds:
            self._of[session] = feeds
