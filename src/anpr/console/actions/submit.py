"""Carrying out what an officer does: written to the topic, then waited for until this console's board has read it."""

import asyncio
import uuid

from anpr.board.board_feed import BoardFeed
from anpr.board.incident import Incident
from anpr.console.actions.action_producer import topic_of
from anpr.console.actions.rules import Actor, Placed, has_covert
from anpr.console.auth import permissions
from anpr.console.board.triage import position_of
from anpr.console.console import Console, SignedIn

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
        colleagues=console.colleagues(covert=has_covert(incident)),
        action_ids=(uuid.uuid4().hex, uuid.uuid4().hex),
    )


async def submit(console: Console, who: SignedIn, placed: Placed) -> bool:
    """Write actions and wait until they are on this console's board; return whether they are."""
    records = [(topic_of(console.site, covert=covert), action) for covert, action in placed]
    if not await asyncio.to_thread(console.writer.write, records):
        return False

    def are_there(feed: BoardFeed) -> bool:
        board = console.board_for(who, feed)
        return all(board.has_action(action.site, action.action_id) for _, action in placed)

    return await console.live.wait_for(are_there, READ_BACK_SECONDS)
