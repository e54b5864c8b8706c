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

from anpr.errors import AnprError
from anpr.logs import get_logger
from anpr.web import rights
from anpr.web.console import Console
from anpr.web.guard import Page, guarded, refusal, signed_in
from anpr.web.render import package_folder
from anpr.web.routes import audit, badge, board, events, health, image, incident, lane, shift, sign_in, sign_out
from anpr.web.security_headers import SecurityHeaders

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
    Page("GET", "/lane/{lane}", rights.SEE_BOARD, lane.page),
    Page("GET", "/shift", rights.SEE_BOARD, shift.page),
    Page("GET", "/health", rights.SEE_HEALTH, health.page),
    Page("GET", "/audit", rights.SEE_AUDIT, audit.page),
    Page("POST", "/sign-out", rights.SIGN_OUT, sign_out.sign_out),
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
    routes.append(Route("/badge/{text}.svg", badge.image))
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
