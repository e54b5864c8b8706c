"""Reads that the broker deleted before a matcher had read them, and which of them nobody has acknowledged. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from anpr.contracts.events import Action, Loss

ACKNOWLEDGED: Final = "loss_acknowledged"
# The heading in docs/errors.md.
READS_LOST: Final = "reads-lost"


def loss_id(topic: str, topic_id: str, partition: int | None, first_offset: int, last_offset: int | None) -> str:
    """Return the id of a loss: 32 hexadecimal digits. Every matcher that finds the loss gives it the same id."""
    parts = (topic, topic_id, partition, first_offset, last_offset)
    return hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:16].hex()


def has_own_loss_id(loss: Loss) -> bool:
    """Tell whether a loss has the id that `loss_id` gives it: under another, it could take the place of that one."""
    return loss.loss_id == loss_id(loss.topic, loss.topic_id, loss.partition, loss.first_offset, loss.last_offset)


class Acknowledged(NamedTuple):
    """A loss, and the action by which a person acknowledged it."""

    loss: Loss
    action: Action


@dataclass(frozen=True, slots=True)
class SiteLosses:
    """The losses of one site.

    Attributes:
        unacknowledged: The losses that nobody has acknowledged, the oldest first.
        reads: How many reads these were, as far as that is known. A read that two losses name counts once.
        acknowledged: The losses that somebody has acknowledged, the oldest first.
    """

    unacknowledged: tuple[Loss, ...] = ()
    reads: int = 0
    acknowledged: tuple[Acknowledged, ...] = ()

    @property
    def rows(self) -> list[tuple[Loss, Action | None]]:
        """Every loss with its acknowledgement, the newest first."""
        every: list[tuple[Loss, Action | None]] = [
            *((loss, None) for loss in self.unacknowledged),
            *self.acknowledged,
        ]
        return sorted(every, key=lambda row: (row[0].until, row[0].loss_id), reverse=True)

    @property
    def is_number_known(self) -> bool:
        """Whether `reads` is the whole number."""
        return all(loss.reads is not None for loss in self.unacknowledged)

    @property
    def since(self) -> datetime | None:
        """The reads arrived after this time, None when that is unknown."""
        times = [loss.since for loss in self.unacknowledged]
        return None if None in times else min(time for time in times if time is not None)

    @property
    def until(self) -> datetime:
        """The reads arrived before this time."""
        return max(loss.until for loss in self.unacknowledged)

    def in_words(self, at: Callable[[datetime], str]) -> str:
        """Return how many reads nobody has acknowledged, and when they arrived. `at` writes a time."""
        number = f"{self.reads:,}"
        if not self.is_number_known:
            number = f"at least {number}" if self.reads else "an unknown number of"
        were = (
            "read was deleted before it was checked"
            if number == "1"
            else "reads were deleted before they were checked"
        )
        when = (
            f"between {at(self.since)} and {at(self.until)}"
            if self.since
            else f"at some time before {at(self.until)}"
        )
        return f"{number} {were}, {when}"


class Losses:
    """The fold of losses and of their acknowledgements. Order and repetition of records do not matter."""

    def __init__(self, kept: timedelta) -> None:
        """A loss is forgotten `kept` after it was found: its topic may not hold an acknowledgement for longer."""
        self._kept = kept
        self._losses: dict[str, Loss] = {}
        self._actions: dict[str, Action] = {}

    def add(self, loss: Loss) -> None:
        """Add a loss."""
        known = self._losses.get(loss.loss_id)
        if known is None or (_found_at(loss), loss.until) < (_found_at(known), known.until):
            self._losses[loss.loss_id] = loss

    def acknowledge(self, action: Action) -> None:
        """Add an acknowledgement. It may come before its loss. The first one counts."""
        known = self._actions.get(action.alert_id)
        if known is None or (action.at, action.site, action.action_id) < (known.at, known.site, known.action_id):
            self._actions[action.alert_id] = action

    def prune(self, now: datetime) -> None:
        """Forget the losses that are not kept any more, and acknowledgements as old whose loss never came."""
        self._losses = {name: loss for name, loss in self._losses.items() if now - _found_at(loss) <= self._kept}
        self._actions = {
            name: action
            for name, action in self._actions.items()
            if name in self._losses or now - action.at <= self._kept
        }

    def by_site(self, now: datetime) -> dict[str, SiteLosses]:
        """Return the losses of each site that has any."""
        of_site: defaultdict[str, list[Loss]] = defaultdict(list)
        for loss in sorted(self._losses.values(), key=lambda loss: (loss.until, loss.loss_id)):
            if now - _found_at(loss) <= self._kept:
                of_site[loss.site].append(loss)
        return {site: self._of_site(losses) for site, losses in sorted(of_site.items())}

    def _of_site(self, losses: Sequence[Loss]) -> SiteLosses:
        actions = {loss.loss_id: self._actions.get(loss.loss_id) for loss in losses}
        acknowledged = [
            Acknowledged(loss, action) for loss in losses if (action := actions[loss.loss_id]) is not None
        ]
        known = [loss for loss, _ in acknowledged]
        # After a crash a matcher may find a loss again, with more reads or fewer.
        unacknowledged = [
            loss
            for loss in losses
            if actions[loss.loss_id] is None and (loss.reads is None or _reads([*known, loss]) > _reads(known))
        ]
        reads = _reads([*known, *unacknowledged]) - _reads(known)
        return SiteLosses(tuple(unacknowledged), reads, tuple(acknowledged))


def _found_at(loss: Loss) -> datetime:
    return loss.found_at or loss.until


def _reads(losses: Iterable[Loss]) -> int:
    """Return how many reads some losses name, each read once."""
    ranges: defaultdict[tuple[str, int | None], list[tuple[int, int]]] = defaultdict(list)
    for loss in losses:
        if loss.last_offset is not None:
            ranges[loss.topic_id, loss.partition].append((loss.first_offset, loss.last_offset))
    return sum(map(_covered, ranges.values()))


def _covered(ranges: Iterable[tuple[int, int]]) -> int:
    """Return how many numbers lie in any of some ranges, both ends included."""
    covered, end = 0, -1
    for first, last in sorted(ranges):
        covered += max(0, last - max(first, end + 1) + 1)
        end = max(end, last)
    return covered
