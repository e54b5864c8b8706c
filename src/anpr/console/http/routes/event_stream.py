"""The event stream: what has changed since the state that the browser has, as server-sent events.

Each browser has a turn of its own here that holds a number and waits to be woken (`Console.woken`). What it is sent
was made once for all. A browser that does not read fills its own socket and waits alone; after a while it is let
go, and comes back with the last id that it has. One page too many of a session, and its oldest is told so and let go.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from anpr.console.auth.access import still_signed_in
from anpr.console.console import Console, SignedIn
from anpr.console.http.security_headers import BARE_SEND
from anpr.runtime import metrics

# A browser that takes nothing for this long is dead or as good as dead.
SEND_SECONDS = 15.0
RETRY_MS = (500, 1500)
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

_TOO_MANY = {"type": "http.response.body", "body": b"event: too-many\ndata: {}\n\n", "more_body": False}


async def stream(request: Request, console: Console, who: SignedIn) -> Response:
    """Answer with events until the browser or the console goes.

    `after` is the id of the page's state, `Last-Event-ID` of a reconnect.
    """
    after = request.headers.get("last-event-id") or request.query_params.get("after", "")

    return _Stream(console, who, after, lambda: still_signed_in(request, console) == who)


class _Stream(Response):
    """The answer, written straight to the socket: most of the cost of a stream is in what wraps it."""

    def __init__(self, console: Console, who: SignedIn, after: str, is_signed_in: Callable[[], bool]) -> None:
        self._console = console
        self._changes = console.page_for(who).stream
        self._is_public = not who.user.covert
        self._after = after
        self._is_signed_in = is_signed_in
        self._session = who.session.csrf
        self._sending: asyncio.Task[None] | None = None
        self._sending_since: float | None = None
        self._gives_way = False
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the browser goes, takes nothing any more, or has opened too many others since."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        self._sending = sending = asyncio.create_task(self._send_all(scope.get(BARE_SEND, send)))
        gone = asyncio.create_task(_wait_until_gone(receive))
        pending = {sending, gone}
        self._console.stream_limit.enter(self._session, self)
        try:
            with metrics.CONSOLE_BROWSERS.track_inprogress():
                while len(pending) > 1 and not self._is_stuck():
                    _, pending = await asyncio.wait(
                        pending, timeout=SEND_SECONDS, return_when=asyncio.FIRST_COMPLETED
                    )
                if self._gives_way and not gone.done():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(send(_TOO_MANY), SEND_SECONDS)
        finally:
            self._console.stream_limit.leave(self._session, self)
        for task in pending:
            task.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)

    def give_way(self) -> None:
        """End, and tell the page why."""
        if self._sending is not None:
            self._gives_way = True
            self._sending.cancel()

    async def _send_all(self, send: Send) -> None:
        async def put(text: bytes, *, more: bool = True) -> None:
            self._sending_since = asyncio.get_running_loop().time()
            await send({"type": "http.response.body", "body": text, "more_body": more})
            self._sending_since = None

        # Jittered, so that a restarted console does not get all browsers back in one moment.
        await put(f"retry: {random.randint(*RETRY_MS)}\n\n".encode())  # noqa: S311  no secret
        beat = b""
        while not self._console.is_stopping:
            woken = self._console.woken
            if event := self._changes.since(self._after):
                self._after = event.id
                await put(event.sent)
                if self._is_public:
                    metrics.CONSOLE_EVENTS.inc()
            elif beat is not self._console.beat:
                if not self._is_signed_in():
                    await put(b"event: signed-out\ndata: {}\n\n", more=False)
                    return
                # The first is a fresh one, for the browser sets its clock by it.
                beat, text = self._console.beat, self._console.beat if beat else self._console.new_beat()
                await put(text)
            else:
                await woken.wait()
        await put(b"", more=False)

    def _is_stuck(self) -> bool:
        since = self._sending_since
        return since is not None and asyncio.get_running_loop().time() - since >= SEND_SECONDS


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
