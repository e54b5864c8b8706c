"""The image of a plate, for users who may see its incident. No address holds the image's reference."""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from anpr.console.auth import permissions
from anpr.console.auth.audit_trail import AuditTrail
from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_access import BoardAccess
from anpr.contracts.events import Alert

# Returns the image of an alert's read; None when there is none, or it has expired.
LoadImage = Callable[[Alert], bytes | None]

# A card is drawn again with each change. Its image need not be loaded again for that.
_CACHED_SECONDS = 300


async def image(
    request: Request, who: SignedIn, *, board: BoardAccess, audit: AuditTrail, load_image: LoadImage
) -> Response:
    """Answer with the image of one read of an incident."""
    incident = await board.incident(who, request.path_params["incident_id"])
    alert_id = request.path_params["alert_id"]
    alert = next((alert for alert in incident.alerts if alert.alert_id == alert_id), None) if incident else None
    if incident is None or alert is None or alert.read.image is None:
        return Response(status_code=404)
    # Who has the board sees the incidents on it. Anybody else, such as an auditor, has looked the incident up.
    if not who.may(permissions.SEE_BOARD) or incident.incident_id not in board.stream_for(who).state:
        await audit.record(who, "image", incident, [alert])
    jpeg = await asyncio.to_thread(load_image, alert)
    if jpeg is None:
        return Response(status_code=404)
    headers = {"Cache-Control": f"private, max-age={_CACHED_SECONDS}"}
    return Response(jpeg, media_type="image/jpeg", headers=headers)
