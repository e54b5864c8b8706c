"""Records that could not be matched: what is told of each, and which of them are worth sending again."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec import Struct

# The header of a dead letter that was sent again.
REPLAYED: Final = "replayed"


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A record of a site's dead-letter topic, of which `number` is its offset.

    `topic`, `partition` and `offset` are where the record was; `size_bytes` its length there, of which `value` is the
    beginning where it is not whole. `is_replayed` tells that it was sent again since, `has_failed_again` that it had
    been before, and could not be matched then either. `value` may hold a plate.
    """

    site: str
    at: datetime
    number: int
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    size_bytes: int
    is_whole: bool
    is_replayed: bool
    has_failed_again: bool
    value: bytes

    @property
    def waits(self) -> bool:
        """Whether it is worth sending again: it is whole, and that has not been tried."""
        return self.is_whole and not self.is_replayed and not self.has_failed_again

    def told(self, *, with_content: bool) -> dict[str, object]:
        """Return what is told of it: what it holds only `with_content`, as text."""
        told: dict[str, object] = {
            name: getattr(self, name) for name in self.__struct_fields__ if name not in {"value", "detail"}
        }
        if with_content:
            told |= {"detail": self.detail, "content": self.value.decode("utf-8", "backslashreplace")}
        return told


@dataclass
class Replay:
    """How many dead letters were sent again, and why the others were not."""

    sent: int = 0
    sent_before: int = 0
    cut_short: int = 0


def replay(letters: Iterable[DeadLetter], send: Callable[[DeadLetter], None], *, again: bool) -> Replay:
    """Send those that were not sent again yet, or with `again` all; each content once.

    A record that fails again lies on the topic a second time, marked so. One whose matcher was killed may lie there
    twice, as does one that its camera repeats: so what counts as sent is its content. The letters must come from the
    topic's beginning, the oldest first.
    """
    done = Replay()
    sent: set[bytes] = set()
    for letter in letters:
        digest = hashlib.sha256(letter.value).digest()
        if not letter.is_whole:
            done.cut_short += 1
        elif digest in sent or not (letter.waits or again):
            done.sent_before += 1
            sent.add(digest)
        else:
            send(letter)
            sent.add(digest)
            done.sent += 1
    return done
