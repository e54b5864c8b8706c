"""Takes only requests of the kind that browsers and sites send: with few headers, and a body of a stated length.

A body in chunks is refused, because no browser sends a form in this way. Chunks can hide what costs much to read: a
million chunks of one byte, trailers and extensions without end, or a second length that a proxy may prefer.
"""

from typing import Any, Final

import h11

# Behind a proxy, a browser sends about thirty.
MOST_HEADERS: Final = 100


class PlainRequests(h11.Connection):
    """The server's end of a connection."""

    def next_event(self) -> Any:
        """See h11. Raises h11.RemoteProtocolError for a request that is refused, too."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            if len(event.headers) > MOST_HEADERS:
                raise h11.RemoteProtocolError("too many headers")
            if any(name == b"transfer-encoding" for name, _ in event.headers):
                raise h11.RemoteProtocolError("a body in chunks")
        return event
