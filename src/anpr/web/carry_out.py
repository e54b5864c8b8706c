"""Carrying out what an officer does: written to the topic, then waited for until this console's board has read it."""

import asyncio
import uuid

from anpr.incidents import Incident
from anpr.services.board_feed import BoardFeed
from anpr.web import rights
from anpr.web.actions import topic_of
from anpr.web.console import Console, SignedIn
from anpr.web.deeds import Doer, Placed, has_covert
from anpr.web.lanes import place

# An action that is not read back within this time is told as sent and not yet confirmed.
READ_BACK_SECONDS = 5


def doer(console: Console, who: SignedIn, incident: Incident) -> Doer:
    """Return who does something about an incident now."""
    now = console.clock()
    return Doer(
        officer=who.user.name,
        site=console.site,
        may_take_over=who.may(rights.TAKE_OVER),
        may_claim=place(incident, console.rules, now).may_claim,
        at=now,
        colleagues=console.colleagues(covert=has_covert(incident)),
        action_ids=(uuid.uuid4().hex, uuid.uuid4().hex),
    )


async def carry_out(console: Console, who: SignedIn, placed: Placed) -> bool:
    """Write actions and wait until they are on this console's board; return whether they are."""
    records = [(topic_of(console.site, covert=covert), action) for covert, action in placed]
    if not await asyncio.to_thread(console.writer.write, records):
        return False

    def are_there(feed: BoardFeed) -> bool:
        board = console.board_for(who, feed)
        return all(board.has_action(action.site, action.action_id) for _, action in placed)

    return await console.live.wait_for(are_there, READ_BACK_SECONDS)
