"""The web application: every route in one table, and what holds for all of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from anpr.console.auth import permissions
from anpr.console.auth.access import Page, guarded, refusal, signed_in
from anpr.console.console import Console
from anpr.console.http.render import package_folder
from anpr.console.http.routes import (
    audit_page,
    badge_image,
    board_routes,
    event_stream,
    health_page,
    incident_routes,
    plate_image,
    section_page,
    shift_page,
    sign_in,
    sign_out,
)
from anpr.console.http.security_headers import SecurityHeaders
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)

# Longer than any form of ours: the longest holds a note of 2000 characters and the ids of the alerts shown.
MAX_FORM_BYTES: Final = 262_144

PAGES: Final = (
    Page("GET", "/", permissions.SEE_BOARD, board_routes.page),
    Page("GET", "/board/state", permissions.SEE_BOARD, board_routes.state, for_program=True),
    Page("GET", "/board/stream", permissions.SEE_BOARD, event_stream.stream, for_program=True),
    Page("GET", "/incident/{incident_id}", permissions.SEE_INCIDENT, incident_routes.page),
    Page(
        "GET",
        "/incident/{incident_id}/image/{alert_id}",
        permissions.SEE_INCIDENT,
        plate_image.image,
        for_program=True,
    ),
    Page("POST", "/incident/{incident_id}/{command}", permissions.ACT, incident_routes.act),
    Page("GET", "/section/{section}", permissions.SEE_BOARD, section_page.page),
    Page("GET", "/shift", permissions.SEE_BOARD, shift_page.page),
    Page("GET", "/health", permissions.SEE_HEALTH, health_page.page),
    Page("GET", "/audit", permissions.SEE_AUDIT, audit_page.page),
    Page("POST", "/sign-out", permissions.SIGN_OUT, sign_out.sign_out),
)


def application(console: Console) -> ASGIApp:
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
    routes.append(Route("/badge/{text}.svg", badge_image.image))
    if console.govuk is not None:
        routes.append(Mount("/static/govuk", StaticFiles(directory=console.govuk)))
    routes.append(Mount("/static", StaticFiles(directory=package_folder("static"))))

    async def unavailable(_: Request, error: Exception) -> Response:
        return refusal(console, 503, str(error))

    async def not_found(request: Request, _: Exception) -> Response:
        who = await signed_in(request, console)
        return refusal(console, 404, "There is no such page, or it is not for you.", who)

    return SecurityHeaders(
        Starlette(
            routes=routes,
            lifespan=lifespan,
            exception_handlers={404: not_found, AnprError: unavailable},
            max_body_size=MAX_FORM_BYTES,
        )
    )
