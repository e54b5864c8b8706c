"""The page of one incident, and the commands that an officer can give there."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from anpr.board.incident import Incident, action_key
from anpr.console.actions.rules import COMMANDS, ActionRefusedError, fitting_outcomes
from anpr.console.actions.submit import ActionSubmitter
from anpr.console.auth.audit_trail import AuditTrail
from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.site_view import SiteView
from anpr.console.http.page_renderer import PageRenderer

_NOT_KNOWN = "You cannot see this incident. It does not exist, it is not for you, or it is too old for the board."


async def page(  # noqa: PLR0913  each part that it uses
    request: Request,
    who: SignedIn,
    *,
    board: BoardAccess,
    actions: ActionSubmitter,
    view: SiteView,
    audit: AuditTrail,
    renderer: PageRenderer,
) -> Response:
    """Show an incident."""
    after = board.stream_for(who).last_id  # first, so that the page learns of what changes during the look-up
    incident = await board.incident(who, request.path_params["incident_id"])
    if incident is None:
        return renderer.refusal(404, _NOT_KNOWN, who)
    await audit.record(who, "incident", incident)
    values = await _values_for(who, incident, board, actions, view)
    return renderer.page("incident.html", who, **values, after=after, done=request.query_params.get("done", ""))


async def act(  # noqa: PLR0913  each part that it uses
    request: Request,
    who: SignedIn,
    *,
    board: BoardAccess,
    actions: ActionSubmitter,
    view: SiteView,
    audit: AuditTrail,
    renderer: PageRenderer,
) -> Response:
    """Carry out a command, and answer once its actions have been read back from the topic."""
    after = board.stream_for(who).last_id
    incident = await board.incident(who, request.path_params["incident_id"])
    name = request.path_params["command"]
    command = COMMANDS.get(name)
    if incident is None or command is None:
        return renderer.refusal(404, _NOT_KNOWN, who)
    if name == "claim" and await actions.has_claim_to_send(who, incident):
        return RedirectResponse(f"/incident/{incident.incident_id}", 303)
    form = {field: str(value) for field, value in (await request.form()).items()}
    try:
        new_actions = command(incident, actions.actor(who, incident), form)
    except ActionRefusedError as error:
        await audit.record(who, "incident", incident)
        values = await _values_for(who, incident, board, actions, view)
        return renderer.page(
            "incident.html",
            who,
            409,
            **values,
            after=after,
            error=str(error),
            wrong_field=error.field,
            refused=name,
            form=form,
        )
    # The page says by itself that a claim waits to be sent.
    result = name if await actions.submit(who, new_actions) else "unconfirmed" if name != "claim" else ""
    return RedirectResponse(f"/incident/{incident.incident_id}?done={result}", 303)


async def _values_for(
    who: SignedIn, incident: Incident, board: BoardAccess, actions: ActionSubmitter, view: SiteView
) -> dict[str, Any]:
    """Return the values of the page of an incident for a person."""
    return _values(incident, view) | {
        "alerted_ports": await board.other_ports_of(who, incident),
        "who_may_take_over": actions.who_may_take_over(incident),
        "has_claim_to_send": await actions.has_claim_to_send(who, incident),
    }


def _values(incident: Incident, view: SiteView) -> dict[str, Any]:
    """Return those of them that are the same for everybody."""
    checked = incident.plate_check_at(view.site)
    return {
        "incident": incident,
        "card": view.card(incident),
        "holder": view.holder(incident),
        "checked": checked,
        "signed_in": view.signed_in(),
        "outcomes": fitting_outcomes(checked) if checked else (),
        "action_by_key": {action_key(action): action for action in incident.actions},
        "review_below_score": view.rules.review_below_score,
    }
