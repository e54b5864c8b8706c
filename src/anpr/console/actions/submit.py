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
from anpr.contracts.events import Action, Loss
from anpr.contracts.topics import AddressedAction
from anpr.runtime.clock import Clock
from anpr.runtime.errors import UnavailableError

# An action that is not read back within this time is reported as sent and not yet confirmed.
READ_BACK_SECONDS = 5
# More are forgotten: then the page offers again what was done already, and the topic's order decides.
_UNCONFIRMED_KEPT = 1000


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
        # What was sent and not read back yet, as far as this console knows.
        self._unconfirmed: list[Action] = []

    def actor(self, who: SignedIn, incident: Incident) -> Actor:
        """Return a user as the rules see them, who acts on an incident now."""
        position = self._view.position(incident)
        claim = position.claim_at(self._view.site)
        return Actor(
            officer=who.user.name,
            site=self._view.site,
            may_take_over=who.may(permissions.TAKE_OVER),
            is_overdue=claim is not None and claim.is_overdue,
            may_claim=position.may_claim,
            at=self._clock(),
            colleagues=self.colleagues(is_covert=incident.has_covert),
            action_ids=(uuid.uuid4().hex, uuid.uuid4().hex),
        )

    def colleagues(self, *, is_covert: bool) -> frozenset[str]:
        """Return who can be handed an incident at this site."""
        return colleagues_at(self._view.site, self._users.users().values(), is_covert=is_covert)

    def who_may_take_over(self, incident: Incident) -> list[str]:
        """Return who may take an incident over from whoever has claimed it at this site."""
        users = self._users.users().values()
        names = colleagues_at(self._view.site, users, is_covert=incident.has_covert, permission=permissions.TAKE_OVER)
        return sorted(names)

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

    async def has_claim_to_send(self, who: SignedIn, incident: Incident) -> bool:
        """Tell whether a claim of this user on the incident waits to be sent, or to be read back."""
        alerts = {alert.alert_id for alert in incident.alerts}
        waiting = [
            action for action in self._unconfirmed if not await self._board.wait_for_actions(who, [action], seconds=0)
        ]
        self._unconfirmed = [action for action in self._unconfirmed if action in waiting]
        return any(
            action.kind == "claimed" and action.officer == who.user.name and action.alert_id in alerts
            for action in waiting
        )

    async def _publish(self, who: SignedIn, actions: Sequence[AddressedAction]) -> bool:
        sent = [addressed.action for addressed in actions]
        try:
            is_confirmed = await asyncio.to_thread(
                self._producer.write, actions
            ) and await self._board.wait_for_actions(who, sent, READ_BACK_SECONDS)
        except UnavailableError:
            self._unconfirmed.clear()  # the broker refuses what waits: it is lost, and must be repeated
            raise
        if not is_confirmed:
            self._unconfirmed = (self._unconfirmed + sent)[-_UNCONFIRMED_KEPT:]
        return is_confirmed
