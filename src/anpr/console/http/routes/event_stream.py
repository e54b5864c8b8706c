"""The event stream: the changes since the browser's state, as server-sent events.

Each browser has a task here that holds the id of its state and waits to be woken (`StreamBroadcast.woken`). Events
are encoded once for all browsers. A browser that does not read fills its own socket and delays nobody else; after a
while its stream ends, and it reconnects with the last id that it has. When a session opens too many streams, the
oldest ends with an event that says so.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from anpr.console.auth.authentication import Authentication, SignedIn
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.change_stream import ChangeStream
from anpr.console.board.stream_broadcast import StreamBroadcast
from anpr.console.http.security_headers import BARE_SEND
from anpr.runtime import metrics

# A browser that reads nothing for this long is taken for dead.
SEND_SECONDS = 15.0
RETRY_MS = (500, 1500)
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]

_TOO_MANY = {"type": "http.response.body", "body": b"event: too-many\ndata: {}\n\n", "more_body": False}


async def stream(
    request: Request, who: SignedIn, *, board: BoardAccess, broadcast: StreamBroadcast, auth: Authentication
) -> Response:
    """Answer with events until the browser goes or the console stops.

    `after` is the id of the page's state, `Last-Event-ID` of a reconnect.
    """
    after = request.headers.get("last-event-id") or request.query_params.get("after", "")

    def why_signed_out() -> str | None:
        """Return why the user is signed out, "" without a reason; None while they are signed in."""
        return None if auth.still_signed_in(request) == who else auth.why_signed_out(request)

    return _EventStream(board.stream_for(who), broadcast, who, after, why_signed_out)


class _EventStream(Response):
    """The answer, written straight to the socket: layers around it would be most of its cost."""

    def __init__(
        self,
        changes: ChangeStream,
        broadcast: StreamBroadcast,
        who: SignedIn,
        after: str,
        why_signed_out: Callable[[], str | None],
    ) -> None:
        self._changes = changes
        self._broadcast = broadcast
        self._is_public = not who.user.covert
        self._after = after
        self._why_signed_out = why_signed_out
        self._session = who.session.csrf
        self._sending: asyncio.Task[None] | None = None
        self._sending_since: float | None = None
        self._is_one_too_many = False
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the browser goes, reads nothing any more, or has opened too many others since."""
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        self._sending = sending = asyncio.create_task(self._send_all(scope.get(BARE_SEND, send)))
        gone = asyncio.create_task(_wait_until_gone(receive))
        pending = {sending, gone}
        self._broadcast.open_streams.add(self._session, self)
        try:
            with metrics.CONSOLE_BROWSERS.track_inprogress():
                while len(pending) > 1 and not self._is_stuck():
                    _, pending = await asyncio.wait(
                        pending, timeout=SEND_SECONDS, return_when=asyncio.FIRST_COMPLETED
                    )
                if self._is_one_too_many and not gone.done():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(send(_TOO_MANY), SEND_SECONDS)
        finally:
            self._broadcast.open_streams.remove(self._session, self)
        for task in pending:
            task.cancel()
        await asyncio.gather(sending, gone, return_exceptions=True)

    def end_as_too_many(self) -> None:
        """End, and tell the page why."""
        if self._sending is not None:
            self._is_one_too_many = True
            self._sending.cancel()

    async def _send_all(self, send: Send) -> None:
        async def send_text(text: bytes, *, more: bool = True) -> None:
            self._sending_since = asyncio.get_running_loop().time()
            await send({"type": "http.response.body", "body": text, "more_body": more})
            self._sending_since = None

        # Random, so that not all browsers come back to a restarted console at the same moment.
        await send_text(f"retry: {random.randint(*RETRY_MS)}\n\n".encode())  # noqa: S311  no secret
        heartbeat = b""
        while not self._broadcast.is_stopping:
            woken = self._broadcast.woken
            if event := self._changes.changes_since(self._after):
                self._after = event.id
                await send_text(event.encoded)
                if self._is_public:
                    metrics.CONSOLE_EVENTS.inc()
            elif heartbeat is not self._broadcast.heartbeat:
                if (why := self._why_signed_out()) is not None:
                    await send_text(
                        b"event: signed-out\ndata: %b\n\n" % msgspec.json.encode({"why": why}), more=False
                    )
                    return
                # The first one is fresh, because the browser sets its clock by it.
                text = self._broadcast.heartbeat if heartbeat else self._broadcast.new_heartbeat()
                heartbeat = self._broadcast.heartbeat
                await send_text(text)
            else:
                await woken.wait()
        await send_text(b"", more=False)

    def _is_stuck(self) -> bool:
        since = self._sending_since
        return since is not None and asyncio.get_running_loop().time() - since >= SEND_SECONDS


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
