"""Submits an officer's actions: records them, writes them to the topic, and waits until this board has read them."""

import asyncio
import uuid
from collections.abc import Sequence

from anpr.board.incident import Incident
from anpr.console.actions.acknowledge_losses import acknowledgements, describe_loss
from anpr.console.actions.action_producer import ActionProducer
from anpr.console.actions.rules import Actor
from anpr.console.auth import permissions
from anpr.console.auth.audit_trail import AuditTrail
from anpr.console.auth.authentication import SignedIn
from anpr.console.auth.users_file import UsersFile, colleagues_at
from anpr.console.board.board_access import BoardAccess
from anpr.console.board.site_view import SiteView
from anpr.contracts.events import Loss
from anpr.contracts.topics import AddressedAction
from anpr.runtime.clock import Clock

# An action that is not read back within this time is reported as sent and not yet confirmed.
READ_BACK_SECONDS = 5


class ActionSubmitter:
    """The actions of the officers of one site."""

    def __init__(  # noqa: PLR0913, PLR0917  everything it touches is handed in
        self,
        view: SiteView,
        board: BoardAccess,
        audit: AuditTrail,
        producer: ActionProducer,
        users: UsersFile,
        clock: Clock,
    ) -> None:
        """Record with `audit`, write with `producer` and read back from `board`."""
        self._view = view
        self._board = board
        self._audit = audit
        self._producer = producer
        self._users = users
        self._clock = clock

    def actor(self, who: SignedIn, incident: Incident) -> Actor:
        """Return a user as the rules see them, who acts on an incident now."""
        return Actor(
            officer=who.user.name,
            site=self._view.site,
            may_take_over=who.may(permissions.TAKE_OVER),
            may_claim=self._view.position(incident).may_claim,
            at=self._clock(),
            colleagues=self.colleagues(is_covert=incident.has_covert),
            action_ids=(uuid.uuid4().hex, uuid.uuid4().hex),
        )

    def colleagues(self, *, is_covert: bool) -> frozenset[str]:
        """Return who can be handed an incident at this site."""
        return colleagues_at(self._view.site, self._users.users().values(), is_covert=is_covert)

    async def acknowledge(self, who: SignedIn, losses: Sequence[Loss]) -> bool:
        """Record and write that a user has seen these losses, and wait as `submit` does."""
        for loss in losses:
            what = f"acknowledged deleted reads: {describe_loss(loss)}"
            await self._audit.record(who, what, operation="alteration")
        action_ids = [uuid.uuid4().hex for _ in losses]
        actions = acknowledgements(losses, self._view.site, who.user.name, self._clock(), action_ids)
        return await self._publish(who, actions)

    async def submit(self, who: SignedIn, actions: Sequence[AddressedAction]) -> bool:
        """Record and write actions, and wait until they are on this console's board; return whether they are.

        Raises UnavailableError when they cannot be recorded, or the broker refuses one.
        """
        await self._audit.record_actions(who, actions)
        return await self._publish(who, actions)

    async def _publish(self, who: SignedIn, actions: Sequence[AddressedAction]) -> bool:
        if not await asyncio.to_thread(self._producer.write, actions):
            return False
        return await self._board.wait_for_actions(who, [addressed.action for addressed in actions], READ_BACK_SECONDS)
