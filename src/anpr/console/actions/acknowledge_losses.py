"""Acknowledges lost reads: the actions by which a person says that they have seen them. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from anpr.contracts.events import Action, Loss
from anpr.contracts.losses import ACKNOWLEDGED, SiteLosses
from anpr.contracts.topics import AddressedAction
from anpr.runtime.plurals import counted


def losses_to_acknowledge(
    losses: Mapping[str, SiteLosses], shown_ids: Collection[str], may_act_for: Callable[[str], bool]
) -> list[Loss]:
    """Return the losses that a person acknowledges.

    Their page showed these losses, nobody has acknowledged them yet, and the person's account names their site.
    """
    return [
        loss
        for site, of_site in losses.items()
        if may_act_for(site)
        for loss in of_site.unacknowledged
        if loss.loss_id in shown_ids
    ]


def acknowledgements(
    losses: Sequence[Loss], site: str, officer: str, at: datetime, action_ids: Sequence[str]
) -> list[AddressedAction]:
    """Return one action for each loss, from the console of `site`. `action_ids` are as many fresh ids."""
    return [
        AddressedAction(
            Action(
                action_id=action_id,
                alert_id=loss.loss_id,
                site=site,
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
    where = f"{loss.site}, all partitions" if loss.partition is None else f"{loss.site}, partition {loss.partition}"
    if loss.last_offset is None:
        return f"an unknown number of reads, {where}"
    return f"{counted(loss.reads or 0, 'read')}, {where}, offsets {loss.first_offset} to {loss.last_offset}"
