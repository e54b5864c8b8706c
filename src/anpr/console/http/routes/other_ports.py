"""Where the vehicle of an incident was seen last at other ports. It is a look-up, and recorded as one before it."""

from starlette.requests import Request
from starlette.responses import Response

from anpr.board.incident import Incident
from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.site_view import SiteView
from anpr.console.http.page_renderer import PageRenderer
from anpr.console.vehicle.console_look_ups import ConsoleLookUps
from anpr.look_up.last_seen import last_seen
from anpr.look_up.question import UnusableQuestionError, WrittenQuestion

_NOT_KNOWN = "You cannot see this incident. It does not exist, it is not for you, or it is too old for the board."
_COVERT = "This incident is covert. Other ports are not asked about it, because each of them records the question."


async def page(  # noqa: PLR0913  each part that it uses
    request: Request,
    who: SignedIn,
    *,
    board: BoardAccess,
    view: SiteView,
    search: ConsoleLookUps,
    renderer: PageRenderer,
) -> Response:
    """Ask the other ports, and show a line for each."""
    incident = await board.incident(who, request.path_params["incident_id"])
    if incident is None:
        return renderer.refusal(404, _NOT_KNOWN, who)
    if view.card(incident).covert:
        return renderer.refusal(409, _COVERT, who)
    ports = [port for port in search.ports if port != incident.site]
    try:
        found = await search.find(who, WrittenQuestion(incident.plate, _reason(incident)), ports)
    except UnusableQuestionError as error:
        return renderer.refusal(400, str(error), who, error.next_step)
    return renderer.page(
        "other_ports.html",
        who,
        incident=incident,
        look_up=found.look_up,
        ports=last_seen(found.timeline, ports),
    )


def _reason(incident: Incident) -> str:
    """Return what the audit says here and at each port. The incident is on their boards too."""
    return f"incident {incident.incident_id} at {incident.site}"
