"""Carrying out what an officer does: written to the topic, then waited for until this console's board has read it."""

import asyncio
import uuid
from collections.abc import Sequence

from anpr.board.board_feed import BoardFeed
from anpr.board.incident import Incident
from anpr.console.actions.rules import Actor
from anpr.console.auth import permissions
from anpr.console.board.triage import position_of
from anpr.console.console import Console, SignedIn
from anpr.contracts.topics import AddressedAction

# An action that is not read back within this time is told as sent and not yet confirmed.
READ_BACK_SECONDS = 5


def actor_for(console: Console, who: SignedIn, incident: Incident) -> Actor:
    """Return who does something about an incident now."""
    now = console.clock()
    return Actor(
        officer=who.user.name,
        site=console.site,
        may_take_over=who.may(permissions.TAKE_OVER),
        may_claim=position_of(incident, console.rules, now).may_claim,
        at=now,
        colleagues=console.colleagues(covert=incident.has_covert),
        action_ids=(uuid.uuid4().hex, uuid.uuid4().hex),
    )


async def submit(console: Console, who: SignedIn, placed: Sequence[AddressedAction]) -> bool:
    """Write actions and wait until they are on this console's board; return whether they are."""
    if not await asyncio.to_thread(console.writer.write, placed):
        return False

    def are_there(feed: BoardFeed) -> bool:
        board = console.board_for(who, feed)
        return all(board.has_action(action.site, action.action_id) for action, _ in placed)

    return await console.live.wait_for(are_there, READ_BACK_SECONDS)
