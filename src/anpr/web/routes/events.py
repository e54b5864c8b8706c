"""The event feed: what has changed since the state that the browser has, as server-sent events.

Each browser has a turn of its own here that only holds a number. A browser that does not read fills its own socket;
after a while it is let go, and comes back with the last id that it has.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from anpr.web.console import Console, SignedIn
from anpr.web.guard import signed_in

BEAT_SECONDS = 2.0
# A browser that takes nothing for this long is dead or as good as dead.
SEND_SECONDS = 15.0
RETRY_MS = (500, 1500)
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


async def feed(request: Request, console: Console, who: SignedIn) -> Response:
    """Answer with events that do not end. `after` is the id of the page's state, `Last-Event-ID` of a reconnect."""
    after = request.headers.get("last-event-id") or request.query_params.get("after", "")

    async def is_signed_in() -> bool:
        now = await signed_in(request, console)
        return now is not None and now.user == who.user

    return _Stream(console, who, after, is_signed_in)


class _Stream(Response):
    """The answer, written straight to the socket: half of the cost of a stream is in what wraps it."""

    def __init__(
        self, console: Console, who: SignedIn, after: str, is_signed_in: Callable[[], Awaitable[bool]]
    ) -> None:
        self._console = console
        self._feed = console.page_for(who).feed
        self._after = after
        self._is_signed_in = is_signed_in
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  the interface
        """Send until the browser goes."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        sending = asyncio.create_task(self._send_all(send))
        gone = asyncio.create_task(_wait_until_gone(receive))
        _, pending = await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)

    async def _send_all(self, send: Send) -> None:
        async def put(text: bytes, *, more: bool = True) -> None:
            message = {"type": "http.response.body", "body": text, "more_body": more}
            await asyncio.wait_for(send(message), SEND_SECONDS)

        # Jittered, so that a restarted console does not get all browsers back in one moment.
        await put(f"retry: {random.randint(*RETRY_MS)}\n\n".encode())  # noqa: S311  no secret
        loop = asyncio.get_running_loop()
        beat_at = 0.0
        while True:
            published = self._console.published
            if events := self._feed.after(self._after):
                self._after = events[-1].id
                await put(
                    b"".join(
                        b"id: %b\nevent: %b\ndata: %b\n\n" % (e.id.encode(), e.kind.encode(), e.data) for e in events
                    )
                )
                continue
            if loop.time() >= beat_at:
                if not await self._is_signed_in():
                    await put(b"event: signed-out\ndata: {}\n\n", more=False)
                    return
                await put(b"event: beat\ndata: %b\n\n" % self._beat())
                beat_at = loop.time() + BEAT_SECONDS
            await _wait(published, beat_at - loop.time())

    def _beat(self) -> bytes:
        frozen = self._console.live.frozen_seconds()
        beat = {
            "now": self._console.clock(),
            "frozen_seconds": round(frozen),
            "last_read_at": self._console.last_read_at,
        }
        return msgspec.json.encode(beat)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
    except TimeoutError:
        pass


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
