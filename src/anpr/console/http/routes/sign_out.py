"""The sign-out page. First the user decides who takes over the incidents that they have claimed."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from anpr.board.incident import Incident
from anpr.console.actions.rules import ActionRefusedError, hand_over, release
from anpr.console.actions.submit import ActionSubmitter
from anpr.console.auth import permissions
from anpr.console.auth.authentication import Authentication, SignedIn
from anpr.console.auth.sign_in_service import SignInService
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.site_view import SiteView, open_incidents
from anpr.console.http.page_renderer import PageRenderer

_COMMANDS = {"hand-over": hand_over, "release": release}


async def sign_out(  # noqa: PLR0913  each part that it uses
    request: Request,
    who: SignedIn,
    *,
    board: BoardAccess,
    actions: ActionSubmitter,
    view: SiteView,
    sign_in: SignInService,
    auth: Authentication,
    renderer: PageRenderer,
) -> Response:
    """End every session of the user, on every console, once their claimed incidents are dealt with."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    choice = form.get("with", "")
    claimed = await _claimed(board, view, who) if who.may(permissions.ACT) else []

    def ask(status: int = 200, error: str = "", wrong_field: str = "") -> Response:
        choices = _choices(claimed, actions, view, who)
        return renderer.page("sign_out.html", who, status, error=error, wrong_field=wrong_field, **choices)

    if claimed and choice != "keep":
        if choice not in _COMMANDS:
            return ask()
        try:
            new_actions = [
                action
                for incident in claimed
                for action in _COMMANDS[choice](incident, actions.actor(who, incident), form)
            ]
        except ActionRefusedError as error:
            return ask(409, str(error), error.field)
        if not await actions.submit(who, new_actions):
            return ask(503, "The system is not answering. Nothing is confirmed. Try again.")
    await sign_in.end_sessions(who)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(auth.cookie_name)
    return answer


async def _claimed(board: BoardAccess, view: SiteView, who: SignedIn) -> list[Incident]:
    return [incident for incident in await open_incidents(board, view, who) if view.holder(incident) == who.user.name]


def _choices(claimed: list[Incident], actions: ActionSubmitter, view: SiteView, who: SignedIn) -> dict[str, Any]:
    """Return the values of the page: the claimed incidents, and the colleagues who can take all of these.

    Those who are signed in come first.
    """
    covert = {incident.incident_id for incident in claimed if incident.has_covert}
    signed_in = view.signed_in()
    present = signed_in or frozenset[str]()
    names = actions.colleagues(is_covert=bool(covert)) - {who.user.name}
    colleagues = sorted(names, key=lambda name: (name not in present, name))
    return {"claimed": claimed, "covert": covert, "colleagues": colleagues, "signed_in": signed_in}
