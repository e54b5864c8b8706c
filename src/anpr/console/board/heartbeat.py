"""The event by which a browser knows that the console is alive, and what time it is there. Pure."""

from datetime import datetime
from typing import Final

import msgspec

HEARTBEAT_SECONDS: Final = 2.0


def heartbeat_event(now: datetime, frozen_seconds: float, last_read_at: datetime | None) -> bytes:
    """Return the event. `frozen_seconds` tells for how long the board's thread has made no page."""
    heartbeat = {"now": now, "frozen_seconds": round(frozen_seconds), "last_read_at": last_read_at}
    return b"event: heartbeat\ndata: %b\n\n" % msgspec.json.encode(heartbeat)
