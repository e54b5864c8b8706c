"""Dead letters: the fields to print, and which ones are sent again."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec import Raw, Struct

# The header of a dead letter that was sent again.
REPLAYED: Final = "replayed"
# The header with the reason, and the reason of a dead letter that stands for deleted reads: its value is a `Loss`.
REASON: Final = "reason"
GONE: Final = "gone"


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A record of a site's dead-letter topic. `number` is its offset there.

    `topic`, `partition` and `offset` give the original position of the record, `size_bytes` its original length.
    Where it is not whole, `value` holds only its beginning. `is_replayed` marks a dead letter that was sent again
    since; `has_failed_again` one that is the result of such a replay and could not be matched either. `value` may
    contain a plate. With the reason `gone` the dead letter stands for reads that the broker deleted: `offset` is that
    of the first one, and `value` is the `Loss`.
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
    def can_be_replayed(self) -> bool:
        """Whether sending it again can help: it is whole, and nobody has tried it yet."""
        return self.is_whole and not self.is_gone and not self.is_replayed and not self.has_failed_again

    @property
    def is_gone(self) -> bool:
        """Whether it stands for reads that the broker deleted, so that there is nothing to send."""
        return self.reason == GONE

    def as_dict(self, *, with_content: bool) -> dict[str, object]:
        """Return the fields to print. The content, which may include a plate, comes only `with_content`."""
        fields: dict[str, object] = {
            name: getattr(self, name) for name in self.__struct_fields__ if name not in {"value", "detail"}
        }
        if self.is_gone:
            fields |= {"loss": Raw(self.value)}
        elif with_content:
            fields |= {"detail": self.detail, "content": self.value.decode("utf-8", "backslashreplace")}
        return fields


@dataclass
class Replay:
    """How many dead letters were sent again, were sent before, are cut short, and stand for deleted reads.

    The last two kinds cannot be sent.
    """

    sent: int = 0
    sent_before: int = 0
    cut_short: int = 0
    gone: int = 0


def replay(letters: Iterable[DeadLetter], send: Callable[[DeadLetter], None], *, again: bool) -> Replay:
    """Send the dead letters that were not sent again yet, or with `again` all dead letters; each content once.

    A record that fails again is on the topic a second time, with a mark. A record can also be there twice because its
    matcher was killed or its camera repeated it. So the content decides what counts as sent. The letters must start
    at the topic's beginning, the oldest first.
    """
    result = Replay()
    sent: set[bytes] = set()
    for letter in letters:
        digest = hashlib.sha256(letter.value).digest()
        if letter.is_gone:
            result.gone += 1
        elif not letter.is_whole:
            result.cut_short += 1
        elif digest in sent or not (letter.can_be_replayed or again):
            result.sent_before += 1
            sent.add(digest)
        else:
            send(letter)
            sent.add(digest)
            result.sent += 1
    return result
