"""Looking a vehicle up at every port. The plate is in forms alone, never in an address or a log."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_access import BoardAccess
from anpr.console.http.page_renderer import PageRenderer
from anpr.console.vehicle.chart import chart_of
from anpr.console.vehicle.console_look_ups import ConsoleLookUps, LookUpResult
from anpr.console.vehicle.picture_address import proven_reference
from anpr.console.vehicle.stay_view import MOST_STAYS, StayView, stay_views
from anpr.look_up.export import csv_of, json_of
from anpr.look_up.question import UnusableQuestionError, WrittenQuestion
from anpr.runtime.clock import Clock
from anpr.runtime.images import ImageStore

_PICTURE_CACHED_SECONDS: Final = 300
_NO_QUESTION: Final = WrittenQuestion("", "")


async def form(_: Request, who: SignedIn, *, renderer: PageRenderer) -> Response:
    """Show the form."""
    return renderer.page("vehicle.html", who, written=_NO_QUESTION, asked_ports=())


async def look_up(  # noqa: PLR0913  each part that it uses
    request: Request,
    who: SignedIn,
    *,
    search: ConsoleLookUps,
    board: BoardAccess,
    images: ImageStore,
    renderer: PageRenderer,
    clock: Clock,
) -> Response:
    """Ask the ports, and show where the vehicle was."""
    sent = await request.form()
    written, ports = _written(sent), []
    try:
        ports = _ports(sent, search.ports)
        found = await search.find(who, written, ports or search.ports)
    except UnusableQuestionError as error:
        return renderer.page("vehicle.html", who, 400, written=written, asked_ports=ports, error=error)
    values = await _shown(found, ports or search.ports, who, board, images, clock())
    return renderer.page("vehicle.html", who, written=written, asked_ports=ports, **values)


async def export(
    request: Request, who: SignedIn, *, search: ConsoleLookUps, renderer: PageRenderer, clock: Clock
) -> Response:
    """Ask the ports again, and answer with a file of everything that they found."""
    sent = await request.form()
    written, ports = _written(sent), []
    try:
        ports = _ports(sent, search.ports)
        found = await search.find(who, written, ports or search.ports, "disclosure")
    except UnusableQuestionError as error:
        return renderer.page("vehicle.html", who, 400, written=written, asked_ports=ports, error=error)
    is_json = sent.get("format") == "json"
    text = await (
        asyncio.to_thread(json_of, *found) if is_json else asyncio.to_thread(csv_of, found.timeline, search.zones)
    )
    name = f"sightings-{clock():%Y%m%d-%H%M%S}.{'json' if is_json else 'csv'}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, media_type="application/json" if is_json else "text/csv", headers=headers)


async def image(request: Request, who: SignedIn, *, images: ImageStore, clock: Clock) -> Response:
    """Answer with a picture that a look-up in this session has found. The look-up is in the audit."""
    reference = proven_reference(**request.path_params, session=who.session)
    if reference is None:
        return Response(status_code=404)
    jpeg = await asyncio.to_thread(images.get, str(reference), reference.site, clock())
    if jpeg is None:
        return Response(status_code=404)
    headers = {"Cache-Control": f"private, max-age={_PICTURE_CACHED_SECONDS}"}
    return Response(jpeg, media_type="image/jpeg", headers=headers)


async def _shown(  # noqa: PLR0913, PLR0917  each part that it uses
    found: LookUpResult, ports: Collection[str], who: SignedIn, board: BoardAccess, images: ImageStore, now: datetime
) -> dict[str, Any]:
    """Return the values of the page of an answer."""
    timeline = found.timeline
    shown = (timeline.stays[:MOST_STAYS], timeline.possible_misreads[:MOST_STAYS])
    alert_ids = {alert.alert_id for part in shown for stay in part for one in stay.sightings for alert in one.alerts}
    incidents = await board.incidents_of(who, alert_ids)

    def views() -> list[list[StayView]]:
        return [stay_views(part, images, who.session, incidents, now) for part in shown]

    seen, misreads = await asyncio.to_thread(views)
    return {
        "found": found,
        "chart": chart_of(timeline, ports),
        "seen": seen,
        "misreads": misreads,
    }


def _written(sent: FormData) -> WrittenQuestion:
    """Return the question of a form. A browser sends the line ends of a text as two characters."""
    texts = {name: str(sent.get(name, "")) for name in WrittenQuestion._fields}
    return WrittenQuestion(**texts | {"reason": texts["reason"].replace("\r\n", "\n")})


def _ports(sent: FormData, known: Collection[str]) -> list[str]:
    """Return the ports that the form names; none means all.

    Raises UnusableQuestionError where it names ports, and none of them can be asked: then nobody may be.
    """
    named = {str(port) for port in sent.getlist("port")}
    ports = [port for port in known if port in named]
    if named and not ports:
        message = "the ports that the form names keep no history, so nobody was asked"
        raise UnusableQuestionError("port", message, "choose ports of the form, or none to ask every port")
    return ports
