"""Records what people do at a console before it is answered, and finds records for auditors."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from anpr.audit.chain import AuditChain
from anpr.audit.query import AuditQuery
from anpr.audit.record import AuditEvent, Operation
from anpr.audit.record_search import PAGE_RECORDS, AuditPage, search
from anpr.board.board_feed import BoardFeed
from anpr.board.incident import Incident
from anpr.console.auth.audited_incidents import audited_incidents
from anpr.console.auth.authentication import SignedIn
from anpr.console.board.board_thread import BoardThread
from anpr.contracts.events import Action, Alert
from anpr.contracts.topics import AddressedAction
from anpr.runtime.clock import Clock

# What an action is recorded with, beside the alert and the action's id. A note stays on the actions topic.
_ACTION_DETAILS = ("plate_check", "outcome", "retracts", "holder", "hands_to")


class AuditTrail:
    """What people do at one console. Each method raises UnavailableError: then nothing may be answered or done."""

    def __init__(self, chain: AuditChain, folder: Path, board_thread: BoardThread, clock: Clock) -> None:
        """Write to the console's own chain, and read all chains in `folder`."""
        self._chain = chain
        self._folder = folder
        self._board_thread = board_thread
        self._clock = clock

    async def append(self, *events: AuditEvent) -> None:
        """Record events."""
        await asyncio.to_thread(self._chain.append, *events)

    async def record(  # noqa: PLR0913  each part of a record
        self,
        who: SignedIn,
        what: str,
        incident: Incident | None = None,
        alerts: Sequence[Alert] | None = None,
        *,
        operation: Operation = "consultation",
        reason: str = "",
        plate: str = "",
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Record what a user does, before it is answered.

        `alerts` are the alerts of the incident that were looked at; without them, all.
        """
        event = AuditEvent(
            operation=operation,
            what=what,
            user=who.user.name,
            role=who.user.role,
            reason=reason,
            plate=plate,
            details=dict(details or {}),
        )
        events = [event]
        if incident is not None:
            audited = await self._board_thread.run(
                lambda feed: audited_incidents(incident, alerts or incident.alerts, feed.board, self._clock())
            )
            events = [
                msgspec.structs.replace(event, incident_id=subject.incident_id, plate=subject.plate, covert=is_covert)
                for subject, is_covert in audited
            ]
        await self.append(*events)

    async def record_actions(self, who: SignedIn, actions: Sequence[AddressedAction]) -> None:
        """Record what an officer does about incidents, before it is published."""

        def events_of(feed: BoardFeed) -> list[AuditEvent]:
            return [self._event_of(who, feed, action, is_covert=is_covert) for action, is_covert in actions]

        await self.append(*await self._board_thread.run(events_of))

    async def find(
        self, who: SignedIn, query: AuditQuery, after: str = "", page_records: int = PAGE_RECORDS
    ) -> AuditPage:
        """Return a page of the records of the site's chains on this machine that the user may see."""
        allowed = msgspec.structs.replace(query, covert=who.user.covert)
        return await asyncio.to_thread(search, self._folder, allowed, after, page_records=page_records)

    def _event_of(self, who: SignedIn, feed: BoardFeed, action: Action, *, is_covert: bool) -> AuditEvent:
        """Return the record of an action, with the incident as the action's audience knows it."""
        board = feed.whole_board if is_covert and feed.whole_board is not None else feed.board
        incident = board.incident_of(action.alert_id, self._clock())
        values = {name: getattr(action, name) for name in _ACTION_DETAILS}
        return AuditEvent(
            operation="alteration",
            what=action.kind.replace("_", " "),
            user=who.user.name,
            role=who.user.role,
            plate=incident.plate if incident else "",
            incident_id=incident.incident_id if incident else "",
            covert=is_covert,
            details={"action": action.action_id, "alert": action.alert_id}
            | {name: value for name, value in values.items() if value},
        )
