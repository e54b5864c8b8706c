"""Reads that the broker deleted stay on the screens until a person of their site acknowledges them."""

from datetime import timedelta

import msgspec

from anpr.contracts.losses import Losses
from tests.support.losses import WEEK, a_loss, acknowledged
from tests.support.strategies import NOON


def test_the_number_the_time_and_the_person_are_known() -> None:
    losses = Losses(WEEK)
    losses.add(a_loss(0, 4, 6))
    losses.add(a_loss(2, 0, 1))
    calais = losses.by_site(NOON)["calais"]
    assert (calais.reads, calais.is_number_known, calais.since) == (5, True, NOON)
    assert calais.until == NOON + timedelta(minutes=8)
    losses.acknowledge(acknowledged(a_loss(0, 4, 6)))
    calais = losses.by_site(NOON)["calais"]
    assert (calais.reads, [loss.partition for loss in calais.unacknowledged]) == (2, [2])
    assert [(loss.partition, action.officer) for loss, action in calais.acknowledged] == [(0, "sam")]


def test_the_first_person_who_acknowledged_it_is_named() -> None:
    losses = Losses(WEEK)
    losses.add(a_loss(0, 4, 6))
    later = msgspec.structs.replace(acknowledged(a_loss(0, 4, 6), officer="sue"), at=NOON + timedelta(minutes=1))
    losses.acknowledge(later)
    losses.acknowledge(acknowledged(a_loss(0, 4, 6)))
    assert [action.officer for _, action in losses.by_site(NOON)["calais"].acknowledged] == ["sam"]


def test_a_loss_that_grew_after_its_acknowledgement_is_shown_again() -> None:
    """The matcher crashed after the first report, and the broker deleted more before it came back."""
    losses = Losses(WEEK)
    losses.add(a_loss(0, 4, 6))
    losses.acknowledge(acknowledged(a_loss(0, 4, 6)))
    losses.add(a_loss(0, 4, 9))
    calais = losses.by_site(NOON)["calais"]
    assert (calais.unacknowledged, calais.reads) == ((a_loss(0, 4, 9),), 3)


def test_a_loss_of_unknown_size_stays_beside_acknowledged_ones() -> None:
    losses = Losses(WEEK)
    losses.add(a_loss(0, 4, 6))
    losses.acknowledge(acknowledged(a_loss(0, 4, 6)))
    losses.add(a_loss(0, 4, None))
    calais = losses.by_site(NOON)["calais"]
    assert (calais.reads, calais.is_number_known, len(calais.unacknowledged)) == (0, False, 1)


def test_a_loss_is_forgotten_when_its_acknowledgement_may_have_left_its_topic() -> None:
    losses = Losses(WEEK)
    losses.add(a_loss(0, 4, 6))
    assert losses.by_site(NOON + WEEK)
    assert not losses.by_site(NOON + WEEK + timedelta(minutes=9))


def test_a_loss_that_was_found_long_after_the_reads_had_arrived_is_shown_from_then_on() -> None:
    losses = Losses(WEEK)
    found_at = NOON + 3 * WEEK
    losses.add(msgspec.structs.replace(a_loss(0, 4, 6), found_at=found_at))
    assert losses.by_site(found_at + WEEK)
    assert not losses.by_site(found_at + WEEK + timedelta(minutes=1))


def test_without_a_known_beginning_of_one_loss_none_is_claimed() -> None:
    losses = Losses(WEEK)
    losses.add(a_loss(0, 4, 6))
    losses.add(msgspec.structs.replace(a_loss(1, 4, 6), since=None))
    assert losses.by_site(NOON)["calais"].since is None


def test_a_loss_that_is_not_kept_any_more_is_forgotten_and_so_is_an_acknowledgement_without_a_loss() -> None:
    losses = Losses(WEEK)
    for week in range(50):
        loss = msgspec.structs.replace(a_loss(0, week * 10, week * 10 + 5), found_at=NOON + week * WEEK)
        losses.add(loss)
        losses.acknowledge(msgspec.structs.replace(acknowledged(loss), at=NOON + week * WEEK))
        losses.acknowledge(msgspec.structs.replace(acknowledged(a_loss(1, week, week)), at=NOON + week * WEEK))
        losses.prune(NOON + week * WEEK)
    assert {name: len(held) for name, held in vars(losses).items() if isinstance(held, dict)} == {
        "_losses": 2,
        "_actions": 4,
    }
    assert len(losses.by_site(NOON + 49 * WEEK)["calais"].acknowledged) == 2
