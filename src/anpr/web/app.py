"""The web application: every route in one table, and what holds for all of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anpr.errors import AnprError
from anpr.logs import get_logger
from anpr.web import rights
from anpr.web.console import Console
from anpr.web.guard import Page, guarded, refusal
from anpr.web.render import package_folder
from anpr.web.routes import audit, badge, board, events, health, image, incident, shift, sign_in, sign_out

log = get_logger(__name__)

# Longer than any form of ours: the longest holds a note of 2000 characters and the ids of the alerts shown.
MAX_FORM_BYTES: Final = 262_144

PAGES: Final = (
    Page("GET", "/", rights.SEE_BOARD, board.page),
    Page("GET", "/state", rights.SEE_BOARD, board.state, for_program=True),
    Page("GET", "/feed", rights.SEE_BOARD, events.feed, for_program=True),
    Page("GET", "/incident/{incident_id}", rights.SEE_INCIDENT, incident.page),
    Page("GET", "/incident/{incident_id}/image/{alert_id}", rights.SEE_INCIDENT, image.image, for_program=True),
    Page("POST", "/incident/{incident_id}/{deed}", rights.ACT, incident.act),
    Page("GET", "/shift", rights.SEE_BOARD, shift.page),
    Page("GET", "/health", rights.SEE_HEALTH, health.page),
    Page("GET", "/audit", rights.SEE_AUDIT, audit.page),
    Page("POST", "/sign-out", rights.SIGN_OUT, sign_out.sign_out),
)

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


def application(console: Console) -> Starlette:
    """Return the application of one console. Its lifespan starts and stops the console."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        console.start()
        log.info("console runs")
        yield
        await console.stop()

    routes: list[BaseRoute] = [
        Route(page.path, guarded(page, console), methods=[page.method], name=f"{page.method} {page.path}")
        for page in PAGES
    ]
    routes += sign_in.routes(console)
    routes.append(Route("/badge/{text}.svg", badge.image))
    if console.govuk is not None:
        routes.append(Mount("/static/govuk", StaticFiles(directory=console.govuk)))
    routes.append(Mount("/static", StaticFiles(directory=package_folder("static"))))

    async def unavailable(_: Request, error: Exception) -> Response:
        return refusal(console, 503, str(error))

    async def not_found(_: Request, __: Exception) -> Response:
        return refusal(console, 404, "There is no such page, or it is not for you.")

    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={404: not_found, AnprError: unavailable},
        max_body_size=MAX_FORM_BYTES,
    )


class SecurityHeaders:
    """Puts the headers on every answer that bound what a page may do."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers)
