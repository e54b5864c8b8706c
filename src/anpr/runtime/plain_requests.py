"""Takes only requests of the kind that browsers and sites send: with few headers, and a body of a stated length.

A body in chunks is refused. No browser sends a form so, and what must not be read can hide in it: chunks of one byte
of which each is an event, trailers and extensions without end, and a second length that a proxy may prefer.
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
