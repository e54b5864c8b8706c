"""Losses for tests, and their acknowledgements."""

from datetime import timedelta

from anpr.contracts.events import Action, Loss
from anpr.contracts.losses import ACKNOWLEDGED, loss_id
from tests.support.strategies import NOON

WEEK = timedelta(days=7)


def a_loss(partition: int, first: int, last: int | None, site: str = "calais") -> Loss:
    topic = f"anpr.{site}.reads.v1"
    return Loss(
        loss_id=loss_id(topic, "t", partition, first, last),
        site=site,
        topic=topic,
        topic_id="t",
        partition=partition,
        first_offset=first,
        last_offset=last,
        since=NOON,
        until=NOON + timedelta(minutes=8),
    )


def acknowledged(loss: Loss, site: str = "calais", officer: str = "sam") -> Action:
    return Action(
        action_id=f"{officer}-{loss.loss_id}",
        alert_id=loss.loss_id,
        site=site,
        officer=officer,
        at=NOON,
        kind=ACKNOWLEDGED,
    )
