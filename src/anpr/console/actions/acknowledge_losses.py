"""Acknowledges lost reads: the actions by which a person says that they have seen them. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime

from anpr.contracts.events import Action, Loss
from anpr.contracts.losses import ACKNOWLEDGED, SiteLosses
from anpr.contracts.topics import AddressedAction


def losses_to_acknowledge(losses: SiteLosses, shown_ids: Collection[str]) -> list[Loss]:
    """Return the losses that a person acknowledges: those that their page showed and nobody has acknowledged."""
    return [loss for loss in losses.unacknowledged if loss.loss_id in shown_ids]


def acknowledgements(
    losses: Sequence[Loss], officer: str, at: datetime, action_ids: Sequence[str]
) -> list[AddressedAction]:
    """Return one action for each loss. `action_ids` are as many fresh ids."""
    return [
        AddressedAction(
            Action(
                action_id=action_id,
                alert_id=loss.loss_id,
                site=loss.site,
                officer=officer,
                at=at,
                kind=ACKNOWLEDGED,
            ),
            is_covert=False,
        )
        for loss, action_id in zip(losses, action_ids, strict=True)
    ]


def describe_loss(loss: Loss) -> str:
    """Return which reads were lost, for the audit log."""
    where = "all partitions" if loss.partition is None else f"partition {loss.partition}"
    if loss.last_offset is None:
        return f"an unknown number of reads, {where}"
    return f"{loss.reads} reads, {where}, offsets {loss.first_offset} to {loss.last_offset}"
