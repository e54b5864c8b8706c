"""One incident: all that is known of it, and what an officer does about it."""

import asyncio
import uuid

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from anpr.incidents import Incident
from anpr.services.board_feed import BoardFeed
from anpr.web import rights
from anpr.web.actions import topic_of
from anpr.web.console import Console, SignedIn
from anpr.web.deeds import DEEDS, Doer, Placed, RefusedError, checked
from anpr.web.guard import refusal, show
from anpr.web.lanes import place
from anpr.web.render import card_view

# An action that is not read back within this time is told as sent and not yet confirmed.
READ_BACK_SECONDS = 5
_NOT_KNOWN = "There is no such incident, or it is not for you, or it is older than the board."


async def page(request: Request, console: Console, who: SignedIn) -> Response:
    """Show an incident."""
    incident = await console.incident(who, request.path_params["incident_id"])
    if incident is None:
        return refusal(console, 404, _NOT_KNOWN, who)
    await console.note_look_up(who, "incident", incident)
    return _show(console, who, incident, done=request.query_params.get("done", ""))


async def act(request: Request, console: Console, who: SignedIn) -> Response:
    """Do something about an incident, and answer once that has been read back from the topic."""
    incident = await console.incident(who, request.path_params["incident_id"])
    deed = DEEDS.get(request.path_params["deed"])
    if incident is None or deed is None:
        return refusal(console, 404, _NOT_KNOWN, who)
    form = {name: str(value) for name, value in (await request.form()).items()}
    doer = Doer(
        officer=who.user.name,
        site=console.site,
        may_take_over=who.may(rights.TAKE_OVER),
        at=console.clock(),
        action_ids=(uuid.uuid4().hex, uuid.uuid4().hex),
    )
    try:
        placed = deed(incident, doer, form)
    except RefusedError as error:
        await console.note_look_up(who, "incident", incident)
        return _show(console, who, incident, error=str(error), status=409, form=form)
    done = request.path_params["deed"] if await _write(console, who, placed) else "unconfirmed"
    return RedirectResponse(f"/incident/{incident.incident_id}?done={done}", 303)


async def _write(console: Console, who: SignedIn, placed: Placed) -> bool:
    """Write actions and wait until they are on this console's board; return whether they are."""
    records = [(topic_of(console.site, covert=covert), action) for covert, action in placed]
    if not await asyncio.to_thread(console.writer.write, records):
        return False

    def are_there(feed: BoardFeed) -> bool:
        board = console.board_for(who, feed)
        return all(board.has_action(action.site, action.action_id) for _, action in placed)

    return await console.live.wait_for(are_there, READ_BACK_SECONDS)


def _show(console: Console, who: SignedIn, incident: Incident, status: int = 200, **values: object) -> Response:
    where = place(incident, console.rules, console.clock())
    return show(
        console,
        "incident.html",
        who,
        status,
        incident=incident,
        card=card_view(
            incident,
            console.settings.sites,
            console.site,
            lane=where.lane,
            rings=where.rings,
            waiting_since=where.waiting_since,
        ),
        holder=incident.holders.get(console.site, ""),
        checked=checked(incident, console.site),
        review_below_score=console.rules.review_below_score,
        after=console.page_for(who).feed.last_id,
        **values,
    )
