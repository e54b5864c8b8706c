"""Losses and their acknowledgements fold into the same picture in any order, and no read counts twice."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from anpr.contracts.events import Action, Loss
from anpr.contracts.losses import Losses
from tests.support.losses import WEEK, a_loss, acknowledged
from tests.support.strategies import NOON

known = st.builds(
    lambda p, first, more: a_loss(p, first, first + more), st.integers(0, 1), st.integers(0, 12), st.integers(0, 6)
)
cut = st.builds(lambda p, first: a_loss(p, first, None), st.integers(0, 1), st.integers(0, 12))
facts = st.lists(st.one_of(known, cut, st.builds(acknowledged, st.one_of(known, cut))), max_size=12)


def folded(records: list[Loss | Action]) -> Losses:
    losses = Losses(WEEK)
    for record in records:
        if isinstance(record, Loss):
            losses.add(record)
        else:
            losses.acknowledge(record)
    return losses


def offsets(loss: Loss) -> set[tuple[int | None, int]]:
    return {(loss.partition, loss.first_offset + number) for number in range(loss.reads or 0)}


@given(facts, st.randoms())
def test_any_order_and_any_repetition_give_the_same_picture(records: list[Loss | Action], random: Random) -> None:
    shuffled = [*records, *records[:3]]
    random.shuffle(shuffled)
    assert folded(shuffled).by_site(NOON) == folded(records).by_site(NOON)


@given(facts)
def test_the_number_is_that_of_the_reads_that_nobody_has_acknowledged(records: list[Loss | Action]) -> None:
    there = {record.loss_id: record for record in records if isinstance(record, Loss)}
    seen = {record.alert_id for record in records if isinstance(record, Action)} & there.keys()
    covered = {offset for name in seen for offset in offsets(there[name])}
    lost = {offset for loss in there.values() for offset in offsets(loss)}
    of_site = folded(records).by_site(NOON).get("calais")
    assert (of_site.reads if of_site else 0) == len(lost - covered)
    if of_site:
        assert {loss.loss_id for loss in of_site.unacknowledged} == {
            name
            for name, loss in there.items()
            if name not in seen and (loss.last_offset is None or offsets(loss) - covered)
        }
        assert of_site.is_number_known == all(loss.last_offset is not None for loss in of_site.unacknowledged)
