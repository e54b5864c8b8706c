"""The web application: every page in one table, with the permission that it needs and the parts that it gets."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from anpr.console.auth import permissions
from anpr.console.console_parts import ConsoleParts
from anpr.console.console_service import ConsoleService
from anpr.console.http.form_bounds import MAX_FORM_BYTES, FormBounds
from anpr.console.http.guard import Guard, Handler
from anpr.console.http.render import package_folder
from anpr.console.http.routes import (
    audit_page,
    board_routes,
    event_stream,
    health_page,
    incident_routes,
    other_ports,
    plate_image,
    section_page,
    shift_page,
    sign_in,
    sign_out,
    tab_icon,
    vehicle_routes,
)
from anpr.console.http.security_headers import SecurityHeaders
from anpr.console.vehicle import picture_address
from anpr.runtime.errors import AnprError
from anpr.runtime.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """How a page is asked for, the permission that it needs, and its handler with the parts that it may use."""

    method: str
    path: str
    permission: str
    handler_with: Callable[[ConsoleParts], Handler]
    is_for_script: bool = False


PAGES: Final = (
    Page(
        "GET",
        "/",
        permissions.SEE_BOARD,
        lambda parts: partial(board_routes.page, board=parts.board, renderer=parts.renderer),
    ),
    Page(
        "GET",
        "/board/state",
        permissions.SEE_BOARD,
        lambda parts: partial(board_routes.state, board=parts.board),
        is_for_script=True,
    ),
    Page(
        "GET",
        "/board/stream",
        permissions.SEE_BOARD,
        lambda parts: partial(event_stream.stream, board=parts.board, broadcast=parts.broadcast, auth=parts.auth),
        is_for_script=True,
    ),
    Page(
        "GET",
        "/section/{section}",
        permissions.SEE_BOARD,
        lambda parts: partial(section_page.page, board=parts.board, renderer=parts.renderer),
    ),
    Page(
        "GET",
        "/incident/{incident_id}",
        permissions.SEE_INCIDENT,
        lambda parts: partial(
            incident_routes.page,
            board=parts.board,
            actions=parts.actions,
            view=parts.view,
            audit=parts.audit,
            renderer=parts.renderer,
        ),
    ),
    Page(
        "GET",
        "/incident/{incident_id}/image/{alert_id}",
        permissions.SEE_INCIDENT,
        lambda parts: partial(plate_image.image, board=parts.board, audit=parts.audit, load_image=parts.load_image),
        is_for_script=True,
    ),
    Page(
        "POST",
        "/incident/{incident_id}/other-ports",
        permissions.SEARCH_VEHICLES,
        lambda parts: partial(
            other_ports.page, board=parts.board, view=parts.view, search=parts.vehicles, renderer=parts.renderer
        ),
    ),
    Page(
        "POST",
        "/incident/{incident_id}/{command}",
        permissions.ACT,
        lambda parts: partial(
            incident_routes.act,
            board=parts.board,
            actions=parts.actions,
            view=parts.view,
            audit=parts.audit,
            renderer=parts.renderer,
        ),
    ),
    Page(
        "GET",
        "/shift",
        permissions.SEE_BOARD,
        lambda parts: partial(shift_page.page, board=parts.board, view=parts.view, renderer=parts.renderer),
    ),
    Page(
        "GET",
        "/vehicle",
        permissions.SEARCH_VEHICLES,
        lambda parts: partial(vehicle_routes.form, renderer=parts.renderer),
    ),
    Page(
        "POST",
        "/vehicle",
        permissions.SEARCH_VEHICLES,
        lambda parts: partial(
            vehicle_routes.look_up,
            search=parts.vehicles,
            board=parts.board,
            images=parts.images,
            renderer=parts.renderer,
            clock=parts.clock,
        ),
    ),
    Page(
        "POST",
        "/vehicle/export",
        permissions.EXPORT_VEHICLES,
        lambda parts: partial(
            vehicle_routes.export, search=parts.vehicles, renderer=parts.renderer, clock=parts.clock
        ),
    ),
    Page(
        "GET",
        picture_address.PATH,
        permissions.SEARCH_VEHICLES,
        lambda parts: partial(vehicle_routes.image, images=parts.images, clock=parts.clock),
        is_for_script=True,
    ),
    Page(
        "GET",
        "/health",
        permissions.SEE_HEALTH,
        lambda parts: partial(health_page.page, status=parts.status, renderer=parts.renderer),
    ),
    Page(
        "POST",
        "/health/acknowledge",
        permissions.ACKNOWLEDGE_LOSSES,
        lambda parts: partial(
            health_page.acknowledge_losses,
            status=parts.status,
            actions=parts.actions,
            renderer=parts.renderer,
        ),
    ),
    Page(
        "GET",
        "/audit",
        permissions.SEE_AUDIT,
        lambda parts: partial(audit_page.page, view=parts.view, audit=parts.audit, renderer=parts.renderer),
    ),
    Page(
        "POST",
        "/audit",
        permissions.SEE_AUDIT,
        lambda parts: partial(audit_page.search, view=parts.view, audit=parts.audit, renderer=parts.renderer),
    ),
    Page(
        "POST",
        "/sign-out",
        permissions.SIGN_OUT,
        lambda parts: partial(
            sign_out.sign_out,
            board=parts.board,
            actions=parts.actions,
            view=parts.view,
            sign_in=parts.sign_in,
            auth=parts.auth,
            renderer=parts.renderer,
        ),
    ),
)


def application(parts: ConsoleParts, service: ConsoleService, site: str, govuk: Path | None) -> ASGIApp:
    """Return the web application of a site's console. Its lifespan starts and stops the service."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        service.start()
        log.info("console runs")
        yield
        await service.stop()

    async def unavailable(_: Request, error: Exception) -> Response:
        return parts.renderer.refusal(503, str(error))

    async def not_found(request: Request, _: Exception) -> Response:
        who = await parts.auth.signed_in(request)
        return parts.renderer.refusal(404, "There is no such page, or it is not for you.", who)

    async def wrong_method(request: Request, error: Exception) -> Response:
        who = await parts.auth.signed_in(request)
        refused = parts.renderer.refusal(405, "This address belongs to a button. Press the button on its page.", who)
        refused.headers.update(getattr(error, "headers", None) or {})  # which methods it takes
        return refused

    return SecurityHeaders(
        FormBounds(
            Starlette(
                routes=_routes(parts, site, govuk),
                lifespan=lifespan,
                exception_handlers={404: not_found, 405: wrong_method, AnprError: unavailable},
                max_body_size=MAX_FORM_BYTES,
            )
        )
    )


def _routes(parts: ConsoleParts, site: str, govuk: Path | None) -> list[BaseRoute]:
    guard = Guard(site, parts.auth, parts.renderer)
    routes: list[BaseRoute] = [
        Route(
            page.path,
            guard.protect(
                page.handler_with(parts),
                page.permission,
                is_form=page.method == "POST",
                is_for_script=page.is_for_script,
            ),
            methods=[page.method],
            name=f"{page.method} {page.path}",
        )
        for page in PAGES
    ]
    routes += sign_in.routes(parts.sign_in, parts.auth, parts.renderer)
    routes.append(Route("/badge/{text}.svg", tab_icon.icon))
    if govuk is not None:
        routes.append(Mount("/static/govuk", StaticFiles(directory=govuk)))
    routes.append(Mount("/static", StaticFiles(directory=package_folder("static"))))
    return routes
