"""Takes only the forms that this console's own pages send, before anything parses them.

A browser sends such a form as `application/x-www-form-urlencoded`. Other types are refused unread: a `multipart` form
names its own character sets, and some of these take seconds to decode.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Longer than any form of the console: the longest holds a note of 2000 characters and the ids of the alerts shown.
MAX_FORM_BYTES: Final = 262_144
# A form that anybody may send without being signed in holds a name and a password.
_MAX_BYTES_OF: Final[Mapping[str, int]] = {"/sign-in": 8192}
MAX_FIELDS: Final = 64
BODY_SECONDS: Final = 10.0
_FORM: Final = "application/x-www-form-urlencoded"
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})


class FormBounds:
    """Reads each form within its bounds, then hands it to the application whole."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        form = await _read_form(scope, receive)
        if isinstance(form, Response):
            form.headers["Connection"] = "close"  # what is left of the body is not read
            await form(scope, receive, send)
            return
        messages: list[Message] = [{"type": "http.request", "body": form, "more_body": False}]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        await self._app(scope, replay, send)


async def _read_form(scope: Scope, receive: Receive) -> bytes | Response:
    """Return the body of a form, or the answer that refuses it."""
    headers, most = Headers(scope=scope), _MAX_BYTES_OF.get(scope["path"], MAX_FORM_BYTES)
    if not _is_plain_form(headers.get("content-type", "")):
        return PlainTextResponse(f"send this form as {_FORM}", 415)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read_body(receive, most)
    except TimeoutError:
        return PlainTextResponse("the form did not come in time", 408)
    if body is None:
        return PlainTextResponse("the form is too long", 413)
    if body.count(b"&") >= MAX_FIELDS:
        return PlainTextResponse("the form has too many fields", 413)
    return body


def _is_plain_form(content_type: str) -> bool:
    kind, _, parameters = content_type.lower().partition(";")
    return kind.strip() == _FORM and parameters.strip().replace('"', "") in {"", "charset=utf-8"}


async def _read_body(receive: Receive, most: int) -> bytes | None:
    """Return the whole body, None when it is longer than `most`. What a client that went away has sent is all."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return bytes(body)
