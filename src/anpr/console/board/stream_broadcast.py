"""Wakes the open event streams for a change, a heartbeat or the end of the console. Runs in the event loop."""

import asyncio
from collections.abc import Callable

from anpr.console.board.heartbeat import HEARTBEAT_SECONDS
from anpr.console.board.stream_limit import StreamLimit


class StreamBroadcast:
    """Wakes every stream.

    Attributes:
        woken: Set at the next wake. It is replaced then, so each stream must hold it before it looks for changes.
        heartbeat: The newest heartbeat.
        is_stopping: Whether every stream must end.
        open_streams: The streams of each session.
    """

    def __init__(self, new_heartbeat: Callable[[], bytes]) -> None:
        """`new_heartbeat` returns a fresh heartbeat event."""
        self.woken = asyncio.Event()
        self.heartbeat = b""
        self.is_stopping = False
        self.open_streams = StreamLimit()
        self.new_heartbeat = new_heartbeat

    def wake(self) -> None:
        """Let every stream look for changes."""
        woken, self.woken = self.woken, asyncio.Event()
        woken.set()

    async def send_heartbeats(self) -> None:
        """Send a heartbeat every two seconds, until cancelled."""
        while True:
            self.heartbeat = self.new_heartbeat()
            self.wake()
            await asyncio.sleep(HEARTBEAT_SECONDS)
