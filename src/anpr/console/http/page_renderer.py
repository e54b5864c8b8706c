"""Renders pages as HTML: with the values of the page, and those that every page shares."""

import jinja2
import msgspec
from starlette.responses import HTMLResponse

from anpr.console.auth import permissions
from anpr.console.auth.authentication import SignedIn
from anpr.console.auth.sessions import Sessions
from anpr.console.auth.users_file import User
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.board_page import HEAD, NOTHING_READ
from anpr.console.board.card_renderer import Card
from anpr.console.board.triage import ROLES_CALLED
from anpr.console.status.current_status import CurrentStatus
from anpr.runtime.clock import Clock

# What templates may ask as `can`.
_SHOWN_PERMISSIONS = {
    "see_board": permissions.SEE_BOARD,
    "act": permissions.ACT,
    "search_vehicles": permissions.SEARCH_VEHICLES,
    "export_vehicles": permissions.EXPORT_VEHICLES,
    "see_health": permissions.SEE_HEALTH,
    "see_audit": permissions.SEE_AUDIT,
    "take_over": permissions.TAKE_OVER,
    "acknowledge_losses": permissions.ACKNOWLEDGE_LOSSES,
}


class PageRenderer:
    """Renders the pages of one console."""

    def __init__(
        self,
        templates: jinja2.Environment,
        board: BoardAccess,
        current_status: CurrentStatus,
        sessions: Sessions,
        clock: Clock,
    ) -> None:
        """`templates` come from `render.environment`."""
        self._templates = templates
        self._board = board
        self._current_status = current_status
        self._sessions = sessions
        self._clock = clock

    def page(self, template: str, who: SignedIn | None, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page for a user, None for a browser that is not signed in."""
        shared = {
            "who": who,
            "status": status,
            "csrf": who.session.csrf if who else "",
            "can": {name: who.may(permission) for name, permission in _SHOWN_PERMISSIONS.items()} if who else {},
            "home": permissions.first_page(who.user.role) if who else "/",
            "redis_away": self._sessions.is_redis_away,
            "now": self._clock(),
            "last_read_at": self._current_status.last_read_at,
            **self._board_values(who),
        }
        html = self._templates.get_template(template).render({**shared, **values})
        return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})

    def refusal(self, status: int, why: str, who: SignedIn | None = None, next_step: str = "") -> HTMLResponse:
        """Return the page that says why something was not done."""
        return self.page("refused.html", who, status, why=why, next_step=next_step)

    def _board_values(self, who: SignedIn | None) -> dict[str, object]:
        """Return what every page shows of the board, and from which event on it must listen."""
        if who is None or not who.may(permissions.SEE_BOARD):
            return {"head": None, "head_json": "", "after": "", "ringing": ""}
        stream = self._board.stream_for(who)
        head = stream.state.get(HEAD, NOTHING_READ)
        ringing = (
            name for name, card in stream.state.items() if isinstance(card, Card) and _is_called(who.user, card)
        )
        return {
            "head": head,
            "head_json": msgspec.json.encode(head).decode(),
            "after": stream.last_id,
            "ringing": " ".join(ringing),
        }


def _is_called(user: User, card: Card) -> bool:
    """Tell whether an incident calls a user: by their role or by their name, as in status.js."""
    return card.calls == user.name or user.role in ROLES_CALLED.get(card.rings, ())
