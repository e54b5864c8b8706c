"""The security headers of every answer: a page may load and do only what this console itself serves."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = (
    (
        b"content-security-policy",
        b"; ".join(
            (
                b"default-src 'none'",
                *(b"%b 'self'" % kind for kind in (b"script-src", b"style-src", b"img-src", b"connect-src")),
                b"form-action 'self'",
                b"frame-ancestors 'none'",
                b"base-uri 'none'",
            )
        ),
    ),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)

# A browser that has once come by TLS never comes without it again.
HSTS: Final = (b"strict-transport-security", b"max-age=31536000")

# The key in a request's scope of the `send` that nothing wraps. A stream sends thousands of events a second to all
# browsers together: they need no headers, so they skip this layer.
BARE_SEND: Final = "anpr.bare_send"


class SecurityHeaders:
    """Puts the headers on every answer, also on an error."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = (*HEADERS, HSTS) if scope.get("scheme") == "https" else HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        await self._app({**scope, BARE_SEND: send}, receive, send_with_headers)
