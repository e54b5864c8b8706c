"""The picture of a plate, for those who may see its incident. What the reference says never stands in an address."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from anpr.console.console import Console, SignedIn

# Cards are drawn again with each change; their pictures need not be fetched again for that.
_KEPT_SECONDS = 300


async def image(request: Request, console: Console, who: SignedIn) -> Response:
    """Answer with the picture of one read of an incident."""
    incident = await console.incident(who, request.path_params["incident_id"])
    alert_id = request.path_params["alert_id"]
    alert = next((one for one in incident.alerts if one.alert_id == alert_id), None) if incident else None
    if incident is None or alert is None or alert.read.image is None:
        return Response(status_code=404)
    # What is on the board is shown to all who work there; whatever is older was looked up.
    if incident.incident_id not in console.page_for(who).stream.state:
        await console.note_look_up(who, "image", incident, [alert])
    jpeg = await asyncio.to_thread(console.images.get, alert.read.image, alert.read.site, console.clock())
    if jpeg is None:
        return Response(status_code=404)
    headers = {"Cache-Control": f"private, max-age={_KEPT_SECONDS}"}
    return Response(jpeg, media_type="image/jpeg", headers=headers)
