"""One incident: all that is known of it, and what an officer does about it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from anpr.board.incident import Incident
from anpr.console.actions.rules import COMMANDS, ActionRefusedError, checked, outcomes_that_fit
from anpr.console.actions.submit import actor_for, submit
from anpr.console.auth.access import refusal, show
from anpr.console.board.triage import position_of
from anpr.console.console import Console, SignedIn
from anpr.console.http.render import card_view

_NOT_KNOWN = "You cannot see this incident. It does not exist, it is not for you, or it is too old for the board."


async def page(request: Request, console: Console, who: SignedIn) -> Response:
    """Show an incident."""
    after = console.page_for(who).stream.last_id  # first: what changes while it is looked up is told to the page
    incident = await console.incident(who, request.path_params["incident_id"])
    if incident is None:
        return refusal(console, 404, _NOT_KNOWN, who)
    await console.note_look_up(who, "incident", incident)
    return _show(console, who, incident, after=after, done=request.query_params.get("done", ""))


async def act(request: Request, console: Console, who: SignedIn) -> Response:
    """Do something about an incident, and answer once that has been read back from the topic."""
    after = console.page_for(who).stream.last_id
    incident = await console.incident(who, request.path_params["incident_id"])
    command = COMMANDS.get(request.path_params["command"])
    if incident is None or command is None:
        return refusal(console, 404, _NOT_KNOWN, who)
    form = {name: str(value) for name, value in (await request.form()).items()}
    try:
        placed = command(incident, actor_for(console, who, incident), form)
    except ActionRefusedError as error:
        await console.note_look_up(who, "incident", incident)
        return _show(console, who, incident, after=after, error=str(error), status=409, form=form)
    done = request.path_params["command"] if await submit(console, who, placed) else "unconfirmed"
    return RedirectResponse(f"/incident/{incident.incident_id}?done={done}", 303)


def _show(console: Console, who: SignedIn, incident: Incident, status: int = 200, **values: object) -> Response:
    where = position_of(incident, console.rules, console.clock())
    found = checked(incident, console.site)
    return show(
        console,
        "incident.html",
        who,
        status,
        incident=incident,
        card=card_view(incident, console.settings.sites, console.site, where),
        holder=incident.holders.get(console.site, ""),
        checked=found,
        outcomes=outcomes_that_fit(found) if found else (),
        action_by_id={action.action_id: action for action in incident.actions},
        review_below_score=console.rules.review_below_score,
        sites=console.settings.sites,
        **values,
    )
